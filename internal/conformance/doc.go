// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package conformance states what Microsoft Graph beta /trustFramework does, as
// raw HTTP: no type or function here is the client's or the emulator's, so that
// a mistake made there can't hide.
//
// It has two tables. Each of the checks is a documented or observed behavior
// that the provider counts on. Each of the questions is something that nobody
// has published: it has no right answer, and what the service answers goes into
// a report, next to what the emulator answers to the same request.
//
// The tests of this package run both on the emulator, or on the tenant that
// these variables name, each with TRUSTFRAMEWORK_CONFORMANCE_ before it:
//
//	TENANT_ID, CLIENT_ID, CLIENT_SECRET  all of them or none
//	MSGRAPH_ENDPOINT, AUTHORITY_HOST     the public cloud's by default
//	CA_CERT_FILE                         absolute path, trusted besides the system's
//	REPORT                               absolute path; logged by default
//
// README.md tells the owner of a tenant what that makes, what it deletes, and
// how to run it.
package conformance
