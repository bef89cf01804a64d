// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package emulator is an offline stand-in for Microsoft Graph beta
// /trustFramework and for the token endpoint of Entra ID, served over HTTPS on
// loopback.
//
// It is stricter than the service wherever the service is unclear, and never
// lenient. README.md says of each behavior whether it is documented, observed,
// inferred or unknown, which switch turns it, and what a green run does not
// prove. The package shares no code with the client that is tested against it:
// a mistake made in both would not show.
package emulator
