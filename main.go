// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Command terraform-provider-trustframework is the Terraform provider for Azure AD B2C's Identity
// Experience Framework.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger such as delve")
	printVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *printVersion {
		fmt.Println(version) //nolint:forbidigo // the plugin protocol hasn't begun
		return
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/trustframework/trustframework",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
