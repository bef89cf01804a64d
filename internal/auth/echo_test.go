// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// spellings are what an answer may make of a secret.
func spellings(secret string) map[string]string {
	entities := ""
	for _, b := range []byte(secret) {
		entities += fmt.Sprintf("&#%d;", b)
	}
	middle := secret[len(secret)/4 : len(secret)/4+min(14, len(secret)/2)]
	return map[string]string{
		"whole": secret, "part": middle, "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64url of a part at an offset": base64.RawURLEncoding.EncodeToString([]byte("x:" + middle)),
		"hex":                              hex.EncodeToString([]byte(secret)), "query": url.QueryEscape(secret), "entities": html.EscapeString(secret), "numbers": entities,
	}
}

// quoted writes a text as JSON does.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// places are where an answer may have it: the status and the body, or an error in place of an answer.
func places(echo string) map[string]func(*http.Request) (*http.Response, error) {
	answer := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			resp := entraAnswer(r, status, "", body)
			resp.Status = fmt.Sprint(status, " ", echo)
			return resp, nil
		}
	}
	description := func(code, words, trace, correlation string) string {
		return fmt.Sprintf(`{"error":"invalid_client","error_description":%s,"trace_id":%s,"correlation_id":%s}`, quoted(code+": "+words+"\r\nTrace ID: "+echo), quoted(trace), quoted(correlation))
	}
	return map[string]func(*http.Request) (*http.Response, error){
		"description":    answer(401, description("AADSTS7000215", "Not "+echo+".", "t", "c")),                                                                                  //nolint:bodyclose // a stand-in's answer is in memory
		"code":           answer(401, description("AADSTS"+echo, "No.", "t", "c")),                                                                                              //nolint:bodyclose // a stand-in's answer is in memory
		"code alone":     answer(401, description(echo, "No.", "t", "c")),                                                                                                       //nolint:bodyclose // a stand-in's answer is in memory
		"trace id":       answer(401, description("AADSTS7000215", "No.", echo, "c")),                                                                                           //nolint:bodyclose // a stand-in's answer is in memory
		"correlation id": answer(401, description("AADSTS7000215", "No.", "t", echo)),                                                                                           //nolint:bodyclose // a stand-in's answer is in memory
		"App Service":    answer(400, `{"message":`+quoted("You sent "+echo)+`}`),                                                                                               //nolint:bodyclose // a stand-in's answer is in memory
		"page":           answer(403, "<html><pre>"+echo+"</pre></html>"),                                                                                                       //nolint:bodyclose // a stand-in's answer is in memory
		"JSON page":      answer(403, `{"blocked":`+quoted(echo)+`}`),                                                                                                           //nolint:bodyclose // a stand-in's answer is in memory
		"empty page":     answer(403, ""),                                                                                                                                       //nolint:bodyclose // a stand-in's answer is in memory
		"wrong JSON":     answer(200, `{"access_token":5,"issuer":7,"value":[],"oidcToken":[],"words":`+quoted(echo)+`}`),                                                       //nolint:bodyclose // a stand-in's answer is in memory
		"issuer":         answer(200, `{"issuer":`+quoted("https://"+echo+".example/")+`,"authorization_endpoint":"https://a/b","token_endpoint":`+quoted("https://"+echo)+`}`), //nolint:bodyclose // a stand-in's answer is in memory
		"endpoint":       answer(200, `{"issuer":"https://login.example","authorization_endpoint":"https://a/b","token_endpoint":`+quoted("ftp://a/"+echo)+`}`),                 //nolint:bodyclose // a stand-in's answer is in memory
		"page for JSON":  answer(200, "<html>"+echo),                                                                                                                            //nolint:bodyclose // a stand-in's answer is in memory
		"malformed HTTP": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", fmt.Errorf("malformed HTTP response %q", echo))
		},
	}
}

// shown is everything that an error may print: its fields, and the texts of all errors below it.
func shown(err error) string {
	var text strings.Builder
	var e *auth.Error
	if errors.As(err, &e) {
		_, _ = fmt.Fprintf(&text, "%s\n%s\n%s\n%s\n%v\n", e.Message, e.Code, e.TraceID, e.CorrelationID, e.Others)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		_, _ = fmt.Fprintf(&text, "%v\n%+v\n%q\n", err, err, err)
	}
	var failed interface{ NonRetriable() }
	if errors.As(err, &failed) {
		_, _ = fmt.Fprintf(&text, "%v", failed)
	}
	return text.String()
}

// TestCredential_ShowsNoSecretThatAnAnswerRepeats: what was sent is given back by the authority or a CI service, in each
// spelling and in each place.
func TestCredential_ShowsNoSecretThatAnAnswerRepeats(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(t *testing.T, c *auth.Config)
		sent   func(*http.Request) string
	}{
		"client secret": {
			func(_ *testing.T, c *auth.Config) { c.ClientSecret.Value = `Zq8~kW.2"xT&<v9\R+/pL m3Yd` },
			formValue("client_secret"),
		},
		"a certificate's assertion": {
			func(t *testing.T, c *auth.Config) {
				t.Helper()
				certificate, key := pair(t, time.Now().Add(24*time.Hour)) //nolint:forbidigo // the bubble's
				c.Certificate.Path = write(t, pemOf(t, certificate, key))
			},
			formValue("client_assertion"),
		},
		"ID token": {
			func(_ *testing.T, c *auth.Config) {
				c.UseOIDC, c.OIDCToken.Value = true, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJxIn0.dGhlc2lnbmF0dXJl"
			},
			formValue("client_assertion"),
		},
		"request token": {
			func(_ *testing.T, c *auth.Config) {
				c.UseOIDC, c.OIDCRequestURL, c.OIDCRequestToken = true, "https://ci.example/request", "Vt5-request-token-Xy7Kp2"
			},
			func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				base := auth.Config{TenantID: tenantID, ClientID: auth.Text{Value: clientID}, AuthorityHost: "https://login.example", DisableInstanceDiscovery: true}
				row.change(t, &base)
				for place := range places("") { //nolint:bodyclose // a stand-in's answer is in memory
					for spelling := range spellings("01234567890123456789") {
						if place != "description" && spelling != "part" {
							continue // package redact tests each spelling; what is tested here is that each place asks it
						}
						config, echo := base, ""
						config.Transport = transporter(func(r *http.Request) (*http.Response, error) {
							if sent := row.sent(r); sent != "" {
								echo = spellings(sent)[spelling]
								return places(echo)[place](r)
							}
							return document(r), nil
						})
						_, err := getToken(within(t), config)
						if err == nil || echo == "" {
							t.Fatalf("%s, %s: got %v, and %q was given back; want an error", spelling, place, err, echo)
						}
						if text := shown(err); strings.Contains(text, echo) || strings.Contains(text, html.EscapeString(echo)) {
							t.Errorf("%s, %s: %q is in %s", spelling, place, echo, text)
						}
					}
				}
			})
		})
	}
}

// within is a context with a deadline, as the provider's have.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// formValue reads a parameter of the form that a request has, and "" if it has none.
func formValue(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		if r.Body == nil {
			return ""
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return ""
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return ""
		}
		return form.Get(name)
	}
}

// document answers with an honest OpenID document.
func document(r *http.Request) *http.Response {
	const base = "https://login.example/" + tenantID
	return entraAnswer(r, http.StatusOK, "", `{"issuer":"`+base+`/v2.0","authorization_endpoint":"`+base+`/a","token_endpoint":"https://login.example`+tokenPath+`"}`)
}

// TestCredential_ShowsNoSecretInTheDocument: the second sign-in is after the secret was sent once, so that the document
// of a listener in between can repeat it.
func TestCredential_ShowsNoSecretInTheDocument(t *testing.T) {
	t.Parallel()
	const secret = `Zq8~kW.2"xT&<v9\R+/pL m3Yd` //nolint:gosec // it is made up for a test
	synctest.Test(t, func(t *testing.T) {
		for place, answer := range places(secret) { //nolint:bodyclose // a stand-in's answer is in memory
			config := auth.Config{
				TenantID: "contoso.example", ClientID: auth.Text{Value: clientID}, ClientSecret: auth.Text{Value: secret}, AuthorityHost: "https://login.example",
				DisableInstanceDiscovery: true, Transport: transporter(answer), Secrets: &redact.Secrets{},
			}
			_, err := getToken(within(t), config)
			if err == nil || strings.Contains(shown(err), "xT&<v9") {
				t.Errorf("%s: got %v", place, err)
			}
			if _, err = auth.ResolveTenant(t.Context(), config); err == nil || strings.Contains(err.Error(), "xT&<v9") {
				t.Errorf("%s: looking up the domain got %v", place, err)
			}
		}
	})
}

// TestCredential_ShowsNoTokenOfABrokenAnswer: MSAL prints an answer that it can't read, with the token in it.
func TestCredential_ShowsNoTokenOfABrokenAnswer(t *testing.T) {
	t.Parallel()
	const token = "eyJ0eXAiOiJKV1QifQ.eyJvaWQiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ" //nolint:gosec // it is made up for a test
	for _, body := range []string{
		`{"token_type":"Bearer","access_token":"` + token + `","expires_in":{}}`,
		`{"token_type":"Bearer","expires_in":3599,"access_token":5,"refresh_token":"` + token + `","words":"` + token[20:40] + `"}`,
		`{"token_type":"Bearer","expires_in":3599,"access_token":5,"id_token":"` + token + `"}`,
	} {
		config := auth.Config{
			TenantID: tenantID, ClientID: auth.Text{Value: clientID}, ClientSecret: auth.Text{Value: "unlike-the-token"}, AuthorityHost: "https://login.example", DisableInstanceDiscovery: true,
			Transport: transporter(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet {
					return document(r), nil
				}
				return entraAnswer(r, http.StatusOK, "", body), nil
			}),
		}
		_, err := getToken(t.Context(), config)
		if err == nil || strings.Contains(shown(err), token[20:40]) {
			t.Errorf("got %v", err)
		}
	}
}

// TestCredential_ErrorsAreForPeople: what an answer says is stripped and cut, and codes and ids are left out that have
// another form than Entra's.
func TestCredential_ErrorsAreForPeople(t *testing.T) {
	t.Parallel()
	const steering = "\x1b[2K\x1b[1A\u202e\u0085No changes.\n\r\tDone\x07"
	for name, row := range map[string]struct {
		body    string
		message string
		code    string
	}{
		"steering the terminal":  {`{"error_description":` + quoted("AADSTS7000215: No"+steering) + `}`, "AADSTS7000215: No No changes. Done", "AADSTS7000215"}, //nolint:dupword // the line break between them is gone
		"a code of another form": {`{"error_description":"AADSTS70-1; reboot: No."}`, "AADSTS70-1; reboot: No.", ""},
		"a code without digits":  {`{"error_description":"AADSTSevil: No."}`, "AADSTSevil: No.", ""},
		"a code without end":     {`{"error_description":"AADSTS` + strings.Repeat("1", 1000) + `: No."}`, "", ""},
		"words without end":      {`{"error_description":"AADSTS7000215: ` + strings.Repeat("x", 1<<19) + `"}`, "", "AADSTS7000215"},
		"a page without end":     {strings.Repeat("<p>", 50<<20/3), "", ""},
		"ids of another form":    {`{"error_description":"AADSTS7000215: No.","trace_id":"a b","correlation_id":"x\ny"}`, "AADSTS7000215: No.", "AADSTS7000215"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := auth.Config{
				TenantID: tenantID, ClientID: auth.Text{Value: clientID}, ClientSecret: auth.Text{Value: "canary-secret"}, AuthorityHost: "https://login.example", DisableInstanceDiscovery: true,
				Transport: transporter(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodGet {
						return document(r), nil
					}
					return entraAnswer(r, http.StatusUnauthorized, "", row.body), nil
				}),
			}
			_, err := getToken(t.Context(), config)
			var e *auth.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if row.message != "" && e.Message != row.message || e.Code != row.code || e.TraceID+e.CorrelationID != "" {
				t.Errorf("got message %q, code %q, ids %q %q; want %q, %q and none", e.Message, e.Code, e.TraceID, e.CorrelationID, row.message, row.code)
			}
			if text := shown(err); len(e.Message) > redact.Longest+100 || strings.ContainsAny(text, "\x1b\a\r\t\u202e\u0085") {
				t.Errorf("got %d bytes: %.300q", len(e.Message), text)
			}
		})
	}
}
