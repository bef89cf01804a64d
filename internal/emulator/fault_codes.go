// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Refusal answers a code of [Codes] with the status and the words that are
// known of it, before any work. The numbers in braces are those of Microsoft's
// templates, left as they are. For any other code it is a 400 without a message.
func Refusal(op Op, code string) Fault {
	status := http.StatusBadRequest // inferred for all codes but those below
	switch code {
	case codeServiceProblem: // observed
		status = http.StatusInternalServerError
	case "AADB2C90229", "AADB2C90244", "AADB2C95043": // inferred
		status = http.StatusTooManyRequests
	}
	return Fault{Name: "Refusal", Op: op, Status: status, Code: code, Message: messages()[code]}
}

// Codes are the codes of the back end that are known of key sets and keys.
func Codes() []string { return slices.Sorted(maps.Keys(messages())) }

// messages are the words of each code, where they are known word by word: from
// observed answers, or as templates from Microsoft's list "Error codes in Azure
// AD B2C". The others are the emulator's own words for what the list says.
func messages() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(messageList) {
		number, message, _ := strings.Cut(strings.TrimSpace(line), " ")
		m[codeGeneric+strings.TrimPrefix(number, "-")] = message
	}
	return m
}

// messageList has a line for each code: its number, or a dash if it has none,
// and its words.
const messageList = `- The 'keySet' field is invalid in request. Please check the request body and parameters.
90019 The key container with id '{0}' in tenant '{1}' does not has a valid key. Reason: {2}
90063 There is a problem with the service.
90073 KeyContainer with 'id': '{0}' cannot be found in the directory '{1}'.
90089 The keys of one key container must be of the same type.
90113 The XML has an error on line {0}.
90129 The provided grant has been revoked. Please reauthenticate and try again.
90130 The key container in tenant '{0}' with storageReferenceId '{1}' does not exist.
90131 The key container in tenant '{0}' with storageReferenceId '{1}' does not has a key referenced by '{2}'.
90132 The key can't be revoked because there is no future key.
90133 The key container can't be cleaned because there is no active or future key.
90134 The key container does not has an active key to revoke.
90135 The key container does not has a future key.
90136 The request is missing parameters or has the wrong parameters. '{0}' has the value '{1}'. Expected value is '{2}'.
90137 A secure RSA key requires at least {0} bits.
90138 A secure OCT key requires at least {0} bits.
90179 The presented X509 certificate '{0}' in tenant '{1}' is not a valid X.509 certificate: '{2}'
90180 The presented key '{0}' of type '{1}' already exists.
90185 The uploaded JSON has an error on line {0} col {1} : {2}.
90186 The input value {0} is null. Please specify a non null value.
90187 The uploaded JSON contains invalid characters
90213 The certificate password provided in request is incorrect.
90214 The expiry date for the key container in tenant '{0}' with storageReferenceId '{1}' is in the past. Passed date :'{2}'.
90215 The uploaded key is badly formatted. Reason: 'The key container has a different use than the new added key'.
90216 The key format parameter '{0}' is not supported. Use jwks, base64Certificate or pfx
90220 The key container in tenant '{0}' with storage identifier '{1}' exists but does not contain a valid certificate.
90229 Your request is throttled temporarily.
90244 There are too many requests at this moment. Please wait for some time and try again.
90253 The trustframework keyset parameter '{0}' is missing
95025 The presented password for the uploaded certificate is wrong.
95026 The uploaded JSON Web Key for tenant '{0}' is not in the correct JSON format.
95027 The trustframework backup key set Id '{0}' must end with .bak.
95028 Can't create trustframework key set with name '{0}' because it already exists.
95029 The trustframework keyset parameter K is not base64 URL encoded.
95030 Missing kty parameter for the trustframework key.
95031 Bad kty parameter '{0}' for the trustframework key. Must be RSA or oct.
95032 One can't mix RSA and Oct types in one key set.
95033 Bad use parameter '{0}' for the trustframework key.
95034 The presented TrustFrameworkKey entity is of the wrong format
95035 The trustframework key can't be serialized. Reason: '{0}'.
95036 The presented TrustFrameworkKey entity cannot be loaded for serialization.
95037 The presented TrustFrameworkKey entity is missing kty.
95039 The presented TrustFrameworkKey RSA entity is missing or the modulus or exponent.
95040 The trustframework key can't be deserialized. Reason: '{0}'.
95041 The trust framework key K parameter is wrongly encoded. Should be base64 URL encoded.
95042 One can't mix signature and encryption usage in one key set.
95043 There are too many requests at this moment. Please wait for some time and try again.
95044 TenantId passed as part of object is different from login tenant.
95052 The trustframework key set with id '{0}' in tenant '{1}' is not created. Please use 'Create api' to create the key set first.
95053 Multiple concurrent writes to the same object detected. Please perform update operations on the same object sequentially.
95059 One of the keys in the payload has 'kid' which is not empty.
99009 Put operation not supported for this entity on this uri. Please append '$value' to the request uri and send the request again.
99014 The property '{0}' can not be modified. It's a read only property.`
