// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// running is a command of the client that is under way, with the processes that it starts a process group
// of its own.
type running struct {
	t       *testing.T
	command *exec.Cmd
	release func()
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	// ended is closed when the command has ended and is waited for.
	ended chan struct{}
}

// start starts a command that knows -json. What is left of its process group ends with the test.
func (tf *client) start(arguments ...string) *running {
	tf.t.Helper()
	arguments = append([]string{arguments[0], "-json"}, arguments[1:]...)
	r := &running{t: tf.t, ended: make(chan struct{})}
	r.command, r.release = tf.prepare(arguments...)
	r.command.Stdout, r.command.Stderr = &r.stdout, &r.stderr
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.command.Start(); err != nil {
		tf.t.Fatal(err)
	}
	tf.t.Cleanup(func() {
		select {
		case <-r.ended:
			if r.command.ProcessState.Exited() {
				return // it has ended the provider
			}
		default:
		}
		r.signalAll(syscall.SIGKILL)
	})
	go func() {
		// How the command ended is in its ProcessState.
		_ = r.command.Wait()
		close(r.ended)
	}()
	return r
}

// startApply starts an apply.
func (tf *client) startApply() *running {
	tf.t.Helper()
	return tf.start("apply", "-auto-approve", "-input=false")
}

// finish waits for the end of the command. The exit code is -1 if a signal has ended it.
func (r *running) finish() outcome {
	r.t.Helper()
	<-r.ended
	r.release()
	return newOutcome(r.command.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String())
}

// signal sends a signal to the client alone.
func (r *running) signal(s syscall.Signal) { _ = syscall.Kill(r.command.Process.Pid, s) }

// signalAll sends a signal to the client and to what it has started, as Ctrl-C in a terminal does. It
// doesn't matter if nothing is left of them.
func (r *running) signalAll(s syscall.Signal) { _ = syscall.Kill(-r.command.Process.Pid, s) }

// knownProcess is ownProcess, and a function that kills the provider's last process.
func knownProcess(t *testing.T, config string, variables map[string]string) (tf *client, kill func()) {
	t.Helper()
	tf = ownProcess(t, config, variables)
	file := filepath.Join(t.TempDir(), "provider.pid")
	tf.environment = append(tf.environment, serveVariable+"="+file) // the last one counts
	return tf, func() {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			return
		}
		if id, err := strconv.Atoi(string(content)); err != nil || id <= 1 || syscall.Kill(id, syscall.SIGKILL) != nil {
			t.Errorf("no process to kill: %q, %v", content, err)
		}
	}
}
