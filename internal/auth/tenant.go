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
	"regexp"
	"strings"
)

// guid is the form of a tenant's id.
var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// IsGUID reports whether a text is a GUID in its usual form, and so can be a tenant's id.
func IsGUID(text string) bool { return guid.MatchString(text) }

// ResolveTenant returns the GUID of the configured tenant, in lower case. A domain name is looked up in the tenant's OpenID
// document, whose issuer names the GUID (documented: "Find your app's OpenID configuration document URI").
// That asks for no token. The error may be shown.
func ResolveTenant(ctx context.Context, config Config) (string, error) {
	if IsGUID(config.TenantID) {
		return strings.ToLower(config.TenantID), nil
	}
	id, err := lookUp(ctx, config)
	if err != nil {
		return "", config.Secrets.Error(fmt.Errorf("look up tenant %q: %w", config.TenantID, err))
	}
	return id, nil
}

func lookUp(ctx context.Context, config Config) (string, error) {
	address, err := url.JoinPath(config.AuthorityHost, config.TenantID, "v2.0/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	issuer, err := fetchIssuer(ctx, config, address)
	if err != nil {
		return "", err
	}
	if issuer == "" {
		return "", errors.New("the OpenID document has no issuer")
	}
	if parsed, err := url.Parse(issuer); err == nil {
		for segment := range strings.SplitSeq(parsed.Path, "/") {
			if IsGUID(segment) {
				return strings.ToLower(segment), nil
			}
		}
	}
	return "", errors.New("the issuer in its OpenID document names no GUID")
}

func fetchIssuer(ctx context.Context, config Config, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	if config.UserAgent != "" {
		req.Header.Set("User-Agent", config.UserAgent)
	}
	resp, err := config.direct().Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // all that matters has been read
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", fmt.Errorf("read the OpenID document: %w", err)
	}
	return document.Issuer, nil
}
