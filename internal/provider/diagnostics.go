// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// addError tells what failed, the service's words, what to do, and what support asks for. A user's
// mistake with the key set points at where, if that isn't empty. Advice is what to do besides.
func addError(diags *diag.Diagnostics, summary string, where path.Path, err error, advice ...string) {
	var signIn *auth.Error
	var api *trustframework.Error
	isAPI := errors.As(err, &api)
	errorDetail := func(e *trustframework.Error) string { return errorDetail(e, advice...) }
	switch {
	// Inside an error of any other kind a failed sign-in is only a part of what happened.
	case errors.As(err, &signIn) && (!isAPI || api.Kind == trustframework.KindNotSent):
		diags.AddError(summary, signInDetail(signIn))
	case !isAPI:
		diags.AddError(summary, redact.Plain(err.Error()))
	case api.Kind == trustframework.KindKeySetGone, api.Kind == trustframework.KindNoActiveKey,
		api.Kind == trustframework.KindLastUsable, api.Kind == trustframework.KindExists, api.Kind == trustframework.KindRefused:
		if where.Equal(path.Empty()) {
			diags.AddError(summary, errorDetail(api))
			return
		}
		diags.AddAttributeError(where, summary, errorDetail(api))
	default:
		diags.AddError(summary, errorDetail(api))
	}
}

// argumentOf is the argument that the service's code is about, if it is one of those that the request was made
// of, or else the fallback. All of them must be in the schema of what the error is shown for.
func argumentOf(err error, fallback path.Path, others ...string) path.Path {
	var api *trustframework.Error
	if errors.As(err, &api) {
		if entry, ok := errorcode.Lookup(api.Code); ok && slices.Contains(others, entry.Attribute) {
			return path.Root(entry.Attribute)
		}
	}
	return fallback
}

// detailOf is what addError says of an error, for a warning.
func detailOf(err error) string {
	var api *trustframework.Error
	if errors.As(err, &api) {
		return errorDetail(api)
	}
	return sentence(err)
}

func errorDetail(e *trustframework.Error, more ...string) string {
	unchanged := "Nothing was changed."
	if e.Op == opRotateKeys {
		unchanged = "The request made no key." // an earlier one of the same apply may have made one
	}
	p := paragraphs{}
	subject := "the tenant's key sets"
	if e.KeySetID != "" {
		subject = fmt.Sprintf("key set %q", e.KeySetID)
	}
	var advice string
	switch e.Kind {
	case trustframework.KindKeySetGone:
		p.add("There is no %s.", subject)
		advice = "Create it first, or check its name: the service puts B2C_1A_ before a name that lacks it."
	case trustframework.KindKeyGone:
		p.add("The key isn't in %s.", subject)
	case trustframework.KindKeysHidden:
		p.add("The service's answer doesn't show the keys of %s, so that nobody can tell which it holds.", subject)
		advice = "Nothing was changed. Try again later."
	case trustframework.KindLastUsable:
		p.add("No other key of %s can be used now: all others are disabled, expired, or not valid yet. %s", subject, unchanged)
		advice = "Policies that refer to the key set would fail without the key. Make another one first, in an apply of its own, or leave this one enabled."
	case trustframework.KindNoActiveKey:
		p.add("The service names no key of %s as the one in use.", subject)
		advice = "A key is in use if it is enabled, nbf has passed and exp hasn't. Make such a key first; the data source trustframework_key_set shows what the set holds."
	case trustframework.KindNoneUsable:
		p.add("No key of %s can be used any more: another process has disabled the others at the same moment.", subject)
		advice = "Policies that refer to the key set fail now. Enable a key at once: apply status = \"enabled\" for it, or do it in the portal."
	case trustframework.KindExists:
		if entry, _ := errorcode.Lookup(e.Code); entry.Attribute != "name" && (e.Code != "" || e.Op != trustframework.OpCreateKeySet) { // it isn't about a key set
			p.add("The service says that %s holds this key already. %s", subject, unchanged)
			p.add("%s", importCommands(e.Op, e.KeySetID, e.Candidates))
			advice = "Import the key to manage it here, or upload another one."
			break
		}
		p.add("There already is a %s.", subject)
		advice = fmt.Sprintf("To manage it here, import it: %s\n"+
			"If it is this resource that is being replaced under the same name (-replace, taint), create_before_destroy must be off for it "+
			"and for every resource that refers to it.", importCommand(keySetType, e.KeySetID))
	case trustframework.KindRefused:
		p.add("The service refused the request for %s. %s", subject, unchanged)
	case trustframework.KindDenied:
		p.add("The service denied access to %s. %s", subject, unchanged)
		if e.Status == http.StatusUnauthorized {
			advice = "The service doesn't accept the token, though it comes from Entra ID. Check tenant_id, environment and msgraph_endpoint, and this machine's clock."
			break
		}
		advice = permissionAdvice(e)
	case trustframework.KindThrottled:
		p.add("The service asked to slow down for longer than this operation may take. %s", unchanged)
		advice = "Try again later, raise the timeout, or lower -parallelism."
	case trustframework.KindNotSent:
		p.add("The request for %s did not reach the service.", subject)
		advice = "Check the network, the proxy (HTTPS_PROXY) and msgraph_endpoint; if it ran out of time, raise the timeout."
	case trustframework.KindUnknownOutcome:
		p.add("%s", lostAnswer(e, subject))
		if e.NotGraphs {
			p.add("What came in its place isn't Microsoft Graph's own answer. %s", somebodyElse)
		}
		advice = unknownOutcomeAdvice(e)
	case trustframework.KindSeveral:
		p.add("The answer to the request was lost, and %s now holds several keys that may come of it:", subject)
		p.add("%s", importCommands(e.Op, e.KeySetID, e.Candidates))
		advice = "Import one of them that no resource owns."
		if e.Op == opRotateKeys {
			advice = rememberedAdvice
		}
		if e.Resent {
			advice += " The request was sent more than once, so that more than one may be its: leave the others unused, for a key can't be deleted on its own."
		} else {
			advice += " Another process seems to write to this key set too."
		}
	default:
		p.add("The service failed on the request for %s.", subject)
		advice = "Try again later."
		if e.NotGraphs {
			p.list = nil
			p.add("The answer to the request for %s isn't Microsoft Graph's own, so that nobody can tell whether the request was carried out. %s", subject, somebodyElse)
			advice = "The next plan shows what is left to do."
		}
		if e.Unseen != nil {
			p.add("Nor could the provider look at %s, to see whether it was carried out: %s.", subject, redact.Plain(e.Unseen.Error()))
		}
	}
	if e.Message != "" {
		p.add("%s", redact.Plain(e.Message))
	}
	if e.Err != nil {
		p.add("%s", redact.Plain(e.Err.Error()))
	}
	p.add("%s", advice)
	switch e.Kind {
	case trustframework.KindRefused, trustframework.KindUnavailable, trustframework.KindUnknownOutcome:
		// What every other kind advises says as much as its codes' entries do.
		entry, _ := errorcode.Lookup(e.Code)
		p.add("%s", entry.Advice)
	}
	for _, text := range more {
		p.add("%s", text)
	}
	if e.Worked {
		for i, text := range p.list {
			p.list[i] = strings.ReplaceAll(text, unchanged, "An earlier attempt of the same request may have been carried out, though.")
		}
	}
	status := ""
	if e.Status != 0 {
		status = fmt.Sprint(e.Status)
	}
	p.facts("Status", status, "Code", redact.Plain(e.Code), "Request ID", redact.Plain(e.RequestID), "Client request ID", redact.Plain(e.ClientRequestID))
	return p.String()
}

// somebodyElse is said of an answer that isn't Graph's.
const somebodyElse = "A proxy, a firewall or something else between here and there has sent it: let requests to Microsoft Graph pass there."

// lostAnswer tells what is known of a request whose outcome nobody knows.
func lostAnswer(e *trustframework.Error, subject string) string {
	text := "The answer to the request was lost"
	if e.Resent {
		text = "The answer to the request was lost, nothing showed up for the settle time, and further requests didn't end clearly either"
	}
	if e.Unseen != nil {
		return fmt.Sprintf("%s. Nor could the provider look at %s, to see whether it was made after all: %s.", text, subject, redact.Plain(e.Unseen.Error()))
	}
	if e.Resent {
		return fmt.Sprintf("%s. What was asked for is not in %s, but may still appear there, even more than once.", text, subject)
	}
	return fmt.Sprintf("%s, and what was asked for has not shown up in %s since. It may still appear there.", text, subject)
}

// rememberedAdvice is what to do about a rotation's request that may have made a key.
const rememberedAdvice = "If the resource is in state already, apply again: it remembers the request, takes over what has turned up, and makes another key only if nothing has. " +
	"If it isn't in state yet, import it with its key first."

func unknownOutcomeAdvice(e *trustframework.Error) string {
	const portal = "Before you apply again, look in the portal (Identity Experience Framework, Policy keys) whether it is there"
	if e.Op == trustframework.OpCreateKeySet {
		return portal + ". If it is, import it: " + importCommand(keySetType, e.KeySetID) +
			"\nIf it isn't, apply again. A longer settle_time makes the provider look longer."
	}
	if e.Op == opRotateKeys {
		return rememberedAdvice + " Whether it has one shows in the portal (Identity Experience Framework, Policy keys): " +
			importCommand(resourceTypes()[e.Op], keyID(e.KeySetID, "KID")) + "\nA longer settle_time makes the provider look longer."
	}
	return portal + ", or list the set's keys: an import ID that names only the key set shows them, as in " +
		importCommand(resourceTypes()[e.Op], e.KeySetID) +
		"\nIf it has been made, import it. If it hasn't, apply again. A longer settle_time makes the provider look longer."
}

// paragraphs collects a diagnostic's detail.
type paragraphs struct{ list []string }

func (p *paragraphs) add(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		p.list = append(p.list, text)
	}
}

// facts adds a line for each name whose value isn't empty.
func (p *paragraphs) facts(namesAndValues ...string) {
	var lines []string
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			lines = append(lines, namesAndValues[i]+": "+namesAndValues[i+1])
		}
	}
	p.add("%s", strings.Join(lines, "\n"))
}

func (p *paragraphs) String() string { return strings.Join(p.list, "\n\n") }

// sentence is an error as a sentence of its own.
func sentence(err error) string {
	text := redact.Plain(err.Error())
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
