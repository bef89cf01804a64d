// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"strings"
	"unicode"
)

// UserAgent returns the User-Agent header that names the provider and Terraform, and at its end what the user adds
// to it with TF_APPEND_USER_AGENT, trimmed as HashiCorp's SDK does. Spaces and control characters, some of which net/http
// refuses to send, become one space wherever they stand.
func UserAgent(providerVersion, terraformVersion, appended string) string {
	agent := "terraform-provider-trustframework/" + providerVersion + " Terraform/" + terraformVersion + " " + appended
	return strings.Join(strings.FieldsFunc(agent, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
}
