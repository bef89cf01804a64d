// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
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

// killBetweenWrites kills the client, but not in the midst of writing its state: it writes in place, so that half
// a file would be left, which no provider has a say in. It may be caught after it has emptied the file.
func (r *running) killBetweenWrites() {
	for {
		r.signal(syscall.SIGSTOP)
		for !stopped(r.command.Process.Pid) {
			runtime.Gosched()
		}
		state, err := os.ReadFile(filepath.Join(r.command.Dir, "terraform.tfstate"))
		if err != nil || len(state) == 0 || json.Valid(state) {
			break
		}
		r.signal(syscall.SIGCONT)
	}
	r.signal(syscall.SIGKILL)
	<-r.ended
}

// stopped tells whether no thread of a process is under way in the system any more, or it has ended. Where
// nothing tells (there is no /proc), the answer is yes.
func stopped(process int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", process))
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(state, "T") && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X") {
			return false
		}
	}
	return true
}

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
