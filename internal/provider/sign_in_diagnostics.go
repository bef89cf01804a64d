// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

// addSignInProblem tells what of the provider's arguments doesn't let it sign in, before anything is sent.
func addSignInProblem(diags *diag.Diagnostics, err error) {
	var lacking *auth.NotConfigured
	argument, problem := auth.ArgumentOf(err)
	switch {
	case errors.As(err, &lacking) && lacking.Asked != "":
		detail := fmt.Sprintf("The configuration asks for %s, so that no other way of signing in is tried, but it lacks something:\n\n%s\n\n"+
			"Set what is lacking, as provider arguments or environment variables.", lacking.Asked, err)
		if strings.Contains(err.Error(), "oidc_request_") {
			detail += " GitHub Actions sets its variables in a job that has the permission \"id-token: write\"; " +
				"in Azure DevOps the pipeline has to map SYSTEM_ACCESSTOKEN to $(System.AccessToken)."
		}
		diags.AddAttributeError(path.Root(lacking.Argument()), "Incomplete sign-in configuration", detail)
	case errors.As(err, &lacking):
		diags.AddError("No way of signing in is configured", fmt.Sprintf("Each way lacks something:\n\n%s\n\n"+
			"Set what one of them lacks, as provider arguments or environment variables.", err))
	case argument == "":
		diags.AddError("Unable to configure the provider", err.Error())
	case strings.ToLower(argument) != argument:
		diags.AddError("Invalid environment variable "+argument, sentence(problem))
	default:
		diags.AddAttributeError(path.Root(argument), "Invalid provider argument "+argument, sentence(problem))
	}
}

func signInDetail(e *auth.Error) string {
	p := paragraphs{}
	p.add("Signing in with %s failed, so that the request was not sent to Microsoft Graph.", e.Method)
	p.add("%s", e.Message)
	p.add("%s", signInAdvice(e))
	if e.OtherTenant {
		p.add("Sign in to the B2C tenant itself, or set tenant_id (%s) to the tenant that is meant. A managed identity belongs to its home tenant; `az login --tenant TENANT --allow-no-subscriptions` signs in to another.", envTenantID)
	}
	if e.Others != nil {
		p.add("The Azure CLI is asked because no other way of signing in is configured. Sign it in, or set what one of these lacks:")
		p.add("%s", e.Others)
	}
	p.facts("Code", e.Code, "Trace ID", e.TraceID, "Correlation ID", e.CorrelationID)
	return p.String()
}

// signInAdvice says what to do about one of Entra ID's codes, and nothing about any other.
func signInAdvice(e *auth.Error) string {
	federated := e.Method != string(auth.MethodCertificate)
	switch e.Code {
	case "AADSTS7000215", "AADSTS7000222":
		return fmt.Sprintf("Check client_secret (%s): it is the secret's value, not its ID, and it has not expired.", envClientSecret)
	case "AADSTS700016":
		return fmt.Sprintf("Check client_id (%s) and tenant_id (%s): the application must be registered in the B2C tenant itself.", envClientID, envTenantID)
	case "AADSTS90002", "AADSTS900023":
		return fmt.Sprintf("Check tenant_id (%s) and environment (%s): there is no such tenant in this cloud.", envTenantID, envEnvironment)
	case "AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002121", "AADSTS7002137", "AADSTS7002138":
		return fmt.Sprintf("The application needs a federated credential whose issuer, subject and audience are the ID token's, letter by letter and in the same case. It has these: "+
			"az ad app federated-credential list --id CLIENT_ID (%s)", envClientID)
	case "AADSTS700027":
		if federated {
			return "The ID token's signature isn't one of its issuer's. Check where the token comes from, and that the issuer's OpenID document can be read by everybody."
		}
		return fmt.Sprintf("The certificate must be one of the application's, and valid. The application has these: az ad app credential list --cert --id CLIENT_ID (%s)", envClientID)
	case "AADSTS700024":
		if federated {
			return "An ID token lasts minutes. Ask for one when it is needed (oidc_request_url), or have the file with the token kept fresh; a token in a variable is too old for a long run. Check this machine's clock too."
		}
		return "Check this machine's clock."
	}
	return ""
}
