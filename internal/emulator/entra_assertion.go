// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/rsa"
	"net/url"
	"slices"
	"strings"
	"time"
)

// assertionType is the only client_assertion_type (RFC 7523, section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// checkAssertion verifies a client's assertion: signed with a certificate of
// the application (documented: active-directory-certificate-credentials), or by
// another issuer that the application trusts (documented:
// workload-identity-federation).
func (x *exchange) checkAssertion(form url.Values) *entraError {
	switch given := form.Get("client_assertion_type"); given {
	case assertionType:
	case "":
		return badRequest("invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type'.")
	default:
		return badRequest("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
	}
	a, ok := parseAssertion(form.Get("client_assertion"))
	if !ok {
		return unauthorizedClient(50027, "Invalid JWT token. Unable to parse the client assertion.")
	}
	if strings.EqualFold(a.claims.Iss, x.tenant.clientID) {
		return x.checkCertificateAssertion(a)
	}
	return x.checkFederatedAssertion(a)
}

func (x *exchange) checkCertificateAssertion(a assertion) *entraError {
	t, now := x.tenant, x.s.clock.Now()
	if !strings.EqualFold(a.claims.Sub, t.clientID) {
		return unauthorizedClient(700021, "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .")
	}
	if a.header.X5T == "" && a.header.X5TS256 == "" {
		return unauthorizedClient(50027, "Invalid JWT token. No certificate thumbprint specified in token header.")
	}
	if a.header.Alg != "PS256" && a.header.Alg != "RS256" {
		return unsupportedAlgorithm(a)
	}
	c := t.certificate(a)
	if c == nil {
		return invalidSignature("The key was not found., Thumbprint of key used by client: '" + a.thumbprint() + "'")
	}
	found := "Thumbprint of key used by client: '" + a.thumbprint() + "', Found key 'Start=" + c.NotBefore.UTC().Format(keyTime) + ", End=" + c.NotAfter.UTC().Format(keyTime) + "'"
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return invalidSignature("The key used is expired., " + found)
	}
	if key, ok := c.PublicKey.(*rsa.PublicKey); !ok || !a.signedBy(key) {
		return invalidSignature("The provided signature value did not match the expected signature value., " + found)
	}
	var audiences []string
	for _, name := range []string{t.id, t.domain} {
		audiences = append(audiences, x.tokenEndpoint(name), x.origin()+"/"+name+"/v2.0")
	}
	if !a.isFor(audiences...) {
		return unauthorizedClient(700023, "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .")
	}
	return x.checkTime(a, now)
}

func (x *exchange) checkFederatedAssertion(a assertion) *entraError {
	if a.header.Kid == "" {
		return unauthorizedClient(50027, "Invalid JWT token. No key identifier specified in token header.")
	}
	if a.header.Alg != "RS256" {
		return unsupportedAlgorithm(a)
	}
	trusted := x.tenant.federatedCredentials()
	const check = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
	if trusted = matching(trusted, func(c FederatedCredential) bool { return c.Issuer == a.claims.Iss }); len(trusted) == 0 {
		return unauthorizedClient(700211, "No matching federated identity record found for presented assertion issuer '%s'. %s", a.claims.Iss, check)
	}
	folded := matching(trusted, func(c FederatedCredential) bool { return strings.EqualFold(c.Subject, a.claims.Sub) })
	if trusted = matching(folded, func(c FederatedCredential) bool { return c.Subject == a.claims.Sub }); len(trusted) == 0 {
		if len(folded) > 0 {
			return unauthorizedClient(7002138, "No matching federated identity record found for presented assertion subject '%s'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. %s", a.claims.Sub, check)
		}
		return unauthorizedClient(700213, "No matching federated identity record found for presented assertion subject '%s'. %s", a.claims.Sub, check)
	}
	if trusted = matching(trusted, func(c FederatedCredential) bool { return a.isFor(c.Audience) }); len(trusted) == 0 {
		return unauthorizedClient(700212, "No matching federated identity record found for presented assertion audience '%s'. %s", strings.Join(a.claims.Aud, ", "), check)
	}
	key := x.s.issuerKey(a.claims.Iss, a.header.Kid)
	if key == nil {
		return invalidSignature("The key was not found., Thumbprint of key used by client: '" + a.header.Kid + "'")
	}
	if !a.signedBy(key) {
		return invalidSignature("The provided signature value did not match the expected signature value., Thumbprint of key used by client: '" + a.header.Kid + "'")
	}
	return x.checkTime(a, x.s.clock.Now())
}

// checkTime allows for no difference of clocks.
func (x *exchange) checkTime(a assertion, now time.Time) *entraError {
	if a.within(now.Unix()) {
		return nil
	}
	return unauthorizedClient(700024, "Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of assertion %s.",
		now.UTC().Format(time.RFC3339), unixTime(a.claims.Nbf), unixTime(a.claims.Exp))
}

// keyTime is how Entra writes a key's dates in an error (observed:
// Azure/azure-sdk-for-java 25109).
const keyTime = "01/02/2006 15:04:05"

func unixTime(seconds *int64) string {
	if seconds == nil {
		return "none"
	}
	return time.Unix(*seconds, 0).UTC().Format(time.RFC3339)
}

// thumbprint is how the header writes it.
func (a assertion) thumbprint() string {
	if a.header.X5TS256 != "" {
		return a.header.X5TS256
	}
	return a.header.X5T
}

func invalidSignature(reason string) *entraError {
	return unauthorizedClient(700027, "Client assertion contains an invalid signature. [Reason - %s]", reason)
}

func unsupportedAlgorithm(a assertion) *entraError {
	return unauthorizedClient(5002738, "Invalid JWT token. '%s' is not a supported signature algorithm.", a.header.Alg)
}

func matching(all []FederatedCredential, of func(FederatedCredential) bool) []FederatedCredential {
	return slices.DeleteFunc(slices.Clone(all), func(c FederatedCredential) bool { return !of(c) })
}
