// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// maxToken is how long a token or a secret may be, in bytes. A token travels in a header, which no service takes at
// such a length.
const maxToken = 64 << 10

// addSecrets makes texts secret, each up to maxToken.
func addSecrets(secrets *redact.Secrets, texts ...string) {
	for _, text := range texts {
		secrets.Add(text[:min(len(text), maxToken)])
	}
}

// addGiven makes everything secret that the configuration gives, whether or not the method needs it.
func (c Config) addGiven() {
	addSecrets(c.Secrets, c.ClientSecret.Value, c.CertificatePassword, c.OIDCToken.Value, c.OIDCRequestToken)
}

// readSecret reads an argument whose text is secret from then on.
func (c Config) readSecret(argument string, t Text) (string, error) {
	secret, err := t.Read()
	if err != nil {
		return "", &argumentError{argument, err}
	}
	addSecrets(c.Secrets, secret)
	return secret, nil
}

// addRequest makes secret what a request carries: the token in a header, and all of a form but what isn't secret.
func addRequest(secrets *redact.Secrets, header http.Header, body []byte) {
	_, token, _ := strings.Cut(header.Get("Authorization"), " ")
	addSecrets(secrets, token, header.Get("X-Identity-Header"), header.Get("Secret"))
	if !strings.HasPrefix(header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return
	}
	for name, values := range form {
		switch name {
		case "claims", "client_assertion_type", "client_id", "client_info", "grant_type", "resource", "scope":
		default:
			addSecrets(secrets, values...)
		}
	}
}

// addAnswer makes the tokens of an answer secret, whether or not it is then taken for one.
func addAnswer(secrets *redact.Secrets, body []byte) {
	var answer struct {
		AccessToken  any `json:"access_token"`
		RefreshToken any `json:"refresh_token"`
		IDToken      any `json:"id_token"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	for _, token := range []any{answer.AccessToken, answer.RefreshToken, answer.IDToken} {
		if text, ok := token.(string); ok {
			addSecrets(secrets, text)
		}
	}
}
