// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Command terraform-provider-trustframework is the Terraform provider for Azure AD B2C's Identity
// Experience Framework.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// version is set by the release build.
var version = "dev"

// frameworkLog turns the log of the framework off. The framework writes it at TRACE unless it is told otherwise, Terraform
// throws it away, and for a long list of keys it takes time that grows with the square of the list.
const frameworkLog = "TF_LOG_SDK_FRAMEWORK"

// asksForLog reports whether an environment has any of the variables that turn a log on (documented: "Managing Log Output").
func asksForLog(environment []string) bool {
	return slices.ContainsFunc(environment, func(variable string) bool {
		name, value, _ := strings.Cut(variable, "=")
		return strings.HasPrefix(name, "TF_LOG") && value != ""
	})
}

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger such as delve")
	printVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *printVersion {
		fmt.Println(version) //nolint:forbidigo // the plugin protocol hasn't begun
		return
	}
	if !asksForLog(os.Environ()) { //nolint:forbidigo // it is the framework's own, which reads it there
		_ = os.Setenv(frameworkLog, "OFF") // the name is a valid one
	}
	var options []tf6server.ServeOpt
	if *debug {
		options = append(options, tf6server.WithManagedDebug())
	}
	if err := tf6server.Serve("registry.terraform.io/trustframework/trustframework", provider.NewServer(version), options...); err != nil {
		log.Fatal(err)
	}
}
