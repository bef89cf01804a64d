// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"fmt"
	"strings"
)

// Method is one way of signing in. Its text is what users are told.
type Method string

// The methods, in the order in which the first that is configured is taken (source: azuread's order).
const (
	MethodCertificate     Method = "client certificate"
	MethodSecret          Method = "client secret"
	MethodOIDCToken       Method = "OIDC token"
	MethodAzureDevOps     Method = "OIDC request (Azure DevOps)"
	MethodGitHub          Method = "OIDC request (GitHub Actions)"
	MethodAKS             Method = "AKS workload identity"
	MethodManagedIdentity Method = "managed identity"
	MethodCLI             Method = "Azure CLI"
)

// Lack is a method that isn't configured, or not wholly, and what it lacks, as arguments' names.
type Lack struct {
	Method Method
	Lacks  []string
}

// NotConfigured is the error of Select.
type NotConfigured struct {
	// Asked is the method that was asked for by name, such as by use_oidc, and "" if none was.
	Asked string
	// Lacks are what the methods lack, in their order: those of Asked alone if there is one.
	Lacks []Lack
}

func (e *NotConfigured) Error() string {
	var lines []string
	for _, l := range e.Lacks {
		lines = append(lines, fmt.Sprintf("%s: lacks %s", l.Method, strings.Join(l.Lacks, ", ")))
	}
	return strings.Join(lines, "\n")
}

// Argument is the provider's argument that the error is about: the one that asked, or else the first that lacks.
// It is "" if nothing was asked for.
func (e *NotConfigured) Argument() string {
	if e.Asked == "" || strings.HasPrefix(e.Asked, "use_") {
		return e.Asked
	}
	argument, _, _ := strings.Cut(e.Lacks[0].Lacks[0], " ")
	return argument
}

// candidate is a method as one configuration has it.
type candidate struct {
	method Method
	// argument asks for the method by name; "" if what it needs does that.
	argument string
	// asked tells that the method, and none after it, is to be used, whatever it lacks.
	asked bool
	// needs are the arguments without which it can't be used.
	needs []need
}

type need struct {
	argument string
	given    bool
}

func (c Config) candidates() []candidate {
	client := need{"client_id", c.ClientID.given()}
	request := []need{{"oidc_request_url", c.OIDCRequestURL != ""}, {"oidc_request_token", c.OIDCRequestToken != ""}}
	oidc := need{"use_oidc", c.UseOIDC}
	return []candidate{
		{method: MethodCertificate, asked: c.Certificate.given(), needs: []need{{"client_certificate or client_certificate_path", c.Certificate.given()}, client}},
		{method: MethodSecret, asked: c.ClientSecret.given(), needs: []need{{"client_secret or client_secret_file_path", c.ClientSecret.given()}, client}},
		{method: MethodOIDCToken, asked: c.UseOIDC && c.OIDCToken.given(), needs: []need{oidc, {"oidc_token or oidc_token_file_path", c.OIDCToken.given()}, client}},
		{method: MethodAzureDevOps, asked: c.UseOIDC && c.ServiceConnectionID != "", needs: append([]need{oidc, {"ado_pipeline_service_connection_id", c.ServiceConnectionID != ""}, client}, request...)},
		{method: MethodGitHub, argument: "use_oidc", asked: c.UseOIDC, needs: append([]need{oidc, client}, request...)},
		{method: MethodAKS, argument: "use_aks_workload_identity", asked: c.UseAKSWorkloadIdentity, needs: []need{{"use_aks_workload_identity", c.UseAKSWorkloadIdentity}, client, {"AZURE_FEDERATED_TOKEN_FILE", c.FederatedTokenFile != ""}}},
		{method: MethodManagedIdentity, asked: c.UseMSI, needs: []need{{"use_msi", c.UseMSI}}},
		{method: MethodCLI, asked: c.UseCLI, needs: []need{{"use_cli", c.UseCLI}}},
	}
}

// Select picks the one method that config asks for: the first that is, which is then used or fails. The error is a
// *NotConfigured. Nothing falls through to a later method, least of all to a developer's login.
func Select(config Config) (Method, error) {
	failed := &NotConfigured{}
	for _, c := range config.candidates() {
		lack := Lack{Method: c.method}
		for _, n := range c.needs {
			if !n.given {
				lack.Lacks = append(lack.Lacks, n.argument)
			}
		}
		switch {
		case c.asked && len(lack.Lacks) == 0:
			return c.method, nil
		case c.asked && c.argument == "":
			return "", &NotConfigured{Asked: string(c.method), Lacks: []Lack{lack}}
		case c.asked:
			// use_oidc asks for any of the methods before this one too.
			lacks := []Lack{lack}
			if c.argument == "use_oidc" {
				lacks = append(failed.Lacks[len(failed.Lacks)-2:], lack)
			}
			return "", &NotConfigured{Asked: c.argument, Lacks: lacks}
		}
		failed.Lacks = append(failed.Lacks, lack)
	}
	return "", failed
}
