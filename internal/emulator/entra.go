// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// pathSegments splits a path as it was sent, and decodes each part by itself:
// a %2F inside a name stays inside it.
func pathSegments(escaped string) ([]string, bool) {
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// isEntraPath tells the two services apart, which have one listener here: what
// starts with a tenant and goes on as Entra does is Entra's.
func isEntraPath(escaped string) bool {
	parts, ok := pathSegments(escaped)
	if !ok || len(parts) < 2 || isVersion(parts[0]) {
		return false
	}
	switch strings.ToLower(parts[1]) {
	case "oauth2", "v2.0", "discovery":
		return true
	}
	return false
}

func (x *exchange) entra() answer {
	parts, _ := pathSegments(x.entry.Path)
	x.tenant = x.s.tenant(parts[0])
	var method, missing string
	var work func(*exchange) answer
	switch strings.ToLower(strings.Join(parts[1:], "/")) {
	case "v2.0/.well-known/openid-configuration":
		method, missing, work = http.MethodGet, "invalid_tenant", (*exchange).openIDConfiguration
		x.entry.Op = OpDiscovery
	case "discovery/v2.0/keys":
		method, missing, work = http.MethodGet, "invalid_tenant", (*exchange).signingKeys
		x.entry.Op = OpDiscovery
	case "oauth2/v2.0/token":
		method, missing, work = http.MethodPost, "invalid_request", (*exchange).token
		x.entry.Op = OpToken
	case "discovery/instance":
		x.entry.Op = OpDiscovery
		if x.r.Method == http.MethodGet && strings.EqualFold(parts[0], "common") {
			return x.instanceDiscovery()
		}
		return answer{status: http.StatusNotFound, header: x.entraHeader()}
	default:
		return answer{status: http.StatusNotFound, header: x.entraHeader()}
	}
	if x.r.Method != method {
		h := x.entraHeader()
		h.Set("Allow", method)
		return answer{status: http.StatusMethodNotAllowed, header: h}
	}
	if x.tenant == nil {
		return x.entraFailure(unknownTenant(missing, parts[0]))
	}
	return x.withFaults(work)
}

type openIDConfiguration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	RegionScope           *string  `json:"tenant_region_scope"`
}

// openIDConfiguration always names the tenant by its GUID, which is how a
// client learns the GUID of a domain.
func (x *exchange) openIDConfiguration() answer {
	base := x.origin() + "/" + x.tenant.id
	return jsonAnswer(http.StatusOK, x.entraHeader(), openIDConfiguration{
		Issuer:                base + "/v2.0",
		AuthorizationEndpoint: base + "/oauth2/v2.0/authorize",
		TokenEndpoint:         x.tokenEndpoint(x.tenant.id),
		JWKSURI:               base + "/discovery/v2.0/keys",
		AuthMethods:           []string{"client_secret_post", "private_key_jwt"},
		ResponseTypes:         []string{"code"},
		SubjectTypes:          []string{"pairwise"},
		SigningAlgorithms:     []string{"ES256"},
	})
}

// tokenEndpoint is the one that the OpenID document names, with a tenant's name.
func (x *exchange) tokenEndpoint(tenant string) string {
	return cmp.Or(x.s.config.Switches.TokenEndpointOrigin, x.origin()) + "/" + tenant + "/oauth2/v2.0/token"
}

type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

func (x *exchange) signingKeys() answer {
	// Uncompressed point (SEC 1): a byte 4, then X and Y of 32 bytes each.
	point, err := x.s.signer.key.PublicKey.Bytes()
	if err != nil {
		panic("the token key isn't on its curve: " + err.Error())
	}
	return jsonAnswer(http.StatusOK, x.entraHeader(), map[string][]jwk{"keys": {{
		Kty: "EC", Use: "sig", Kid: x.s.signer.kid, Alg: "ES256", Crv: "P-256",
		X: base64.RawURLEncoding.EncodeToString(point[1:33]),
		Y: base64.RawURLEncoding.EncodeToString(point[33:]),
	}}})
}

type instanceMetadata struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

// instanceDiscovery answers for this server alone, and only for a tenant that
// exists.
func (x *exchange) instanceDiscovery() answer {
	asked, err := url.Parse(x.r.URL.Query().Get("authorization_endpoint"))
	if err != nil || asked.Scheme != "https" || "https://"+asked.Host != x.origin() {
		return x.entraFailure(badRequest("invalid_instance", 50049, "Unknown or invalid instance."))
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	if x.tenant = x.s.tenant(name); x.tenant == nil {
		return x.entraFailure(unknownTenant("invalid_tenant", name))
	}
	return x.withFaults(func(x *exchange) answer {
		return jsonAnswer(http.StatusOK, x.entraHeader(), map[string]any{
			"tenant_discovery_endpoint": x.origin() + "/" + name + "/v2.0/.well-known/openid-configuration",
			"api-version":               "1.1",
			"metadata": []instanceMetadata{{
				PreferredNetwork: asked.Host, PreferredCache: asked.Host, Aliases: []string{asked.Host},
			}},
		})
	})
}
