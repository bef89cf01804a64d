// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// exchangeAudience is the audience of an ID token that Entra ID is to exchange (documented: "Workload identity
// federation"). azuread asks for it in every cloud, unless the address names another.
const exchangeAudience = "api://AzureADTokenExchange"

// argumentFederatedToken is the variable that AKS sets in a pod; there is no argument for it.
const argumentFederatedToken = "AZURE_FEDERATED_TOKEN_FILE"

func (c Config) givenToken(context.Context) (string, error) {
	return c.readSecret("oidc_token", c.OIDCToken)
}

func (c Config) aksToken(context.Context) (string, error) {
	return c.readSecret(argumentFederatedToken, Text{Path: c.FederatedTokenFile})
}

// githubToken asks GitHub Actions for an ID token (documented: GitHub's "OpenID Connect reference").
func (c Config) githubToken(ctx context.Context) (string, error) {
	address, err := c.requestAddress()
	if err != nil {
		return "", err
	}
	if query := address.Query(); query.Get("audience") == "" {
		query.Set("audience", exchangeAudience)
		address.RawQuery = query.Encode()
	}
	var answer struct {
		Value string `json:"value"`
	}
	err = c.requestToken(ctx, http.MethodGet, address, &answer)
	if err != nil {
		return "", err
	}
	return c.answered(answer.Value)
}

// azureDevOpsToken asks Azure DevOps for the ID token of a service connection (documented: REST API 7.1, "Oidctoken -
// Create").
func (c Config) azureDevOpsToken(ctx context.Context) (string, error) {
	address, err := c.requestAddress()
	if err != nil {
		return "", err
	}
	query := address.Query()
	query.Set("api-version", "7.1")
	query.Set("serviceConnectionId", c.ServiceConnectionID)
	address.RawQuery = query.Encode()
	var answer struct {
		Token string `json:"oidcToken"`
	}
	err = c.requestToken(ctx, http.MethodPost, address, &answer)
	if err != nil {
		return "", err
	}
	return c.answered(answer.Token)
}

// answered checks the ID token of an answer and makes it secret.
func (c Config) answered(token string) (string, error) {
	addSecrets(c.Secrets, token)
	switch {
	case token == "":
		return "", errors.New("the answer of the OIDC request has no token")
	case len(token) > maxToken:
		return "", errors.New("the answer of the OIDC request has a token that is too long to be one")
	}
	return token, nil
}

// requestAddress checks where the request's token would be sent. Nothing but the origin is repeated.
func (c Config) requestAddress() (*url.URL, error) {
	address, err := url.Parse(c.OIDCRequestURL)
	switch {
	case err != nil || address.Host == "":
		return nil, &argumentError{"oidc_request_url", errors.New("it is not an address")}
	case !ValidPort(address):
		return nil, &argumentError{"oidc_request_url", fmt.Errorf("there is no port %s", address.Port())}
	case address.Scheme != "https":
		return nil, &argumentError{"oidc_request_url", fmt.Errorf("%q would carry the request token in the clear. Only https is allowed", address.Scheme+"://"+address.Host)}
	}
	return address, nil
}

// requestToken sends the request, with azcore's retries.
func (c Config) requestToken(ctx context.Context, method string, address *url.URL, into any) error {
	origin := address.Scheme + "://" + address.Host
	options := c.clientOptions(origin)
	pipeline := runtime.NewPipeline("auth", "", runtime.PipelineOptions{}, &options)
	request, err := runtime.NewRequest(ctx, method, address.String())
	if err != nil {
		return errors.New("the OIDC request can't be made")
	}
	header := request.Raw().Header
	header.Set("Authorization", "Bearer "+c.OIDCRequestToken)
	header.Set("Accept", "application/json")
	header.Set("Content-Type", "application/json")
	// Azure DevOps would send a token that it doesn't take to its sign-in page.
	header.Set("X-TFS-FedAuthRedirect", "Suppress")
	resp, err := pipeline.Do(request)
	if err != nil {
		var inURL *url.Error // repeats the whole address
		if errors.As(err, &inURL) {
			err = inURL.Err
		}
		return fmt.Errorf("the OIDC request to %s failed: %w", origin, err)
	}
	defer resp.Body.Close() //nolint:errcheck // all that matters has been read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of the OIDC request: %w", err)
	case resp.StatusCode != http.StatusOK:
		return &requestRefused{origin: origin, status: resp.StatusCode, words: c.Secrets.Text(wordsOf(body))}
	case json.Unmarshal(body, into) != nil:
		return fmt.Errorf("the answer of the OIDC request to %s can't be understood", origin)
	}
	return nil
}

// requestRefused is the refusal of an OIDC request.
type requestRefused struct {
	origin string
	status int
	words  string
}

func (e *requestRefused) Error() string {
	text := fmt.Sprintf("%s refused the OIDC request with status %d.", e.origin, e.status)
	if e.words != "" {
		text += " It says: " + e.words
	}
	return text
}

// wordsOf takes the message out of an error's body, in the form that GitHub, Azure DevOps and App Service use.
func wordsOf(body []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.Message
}
