package flags

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// agent answers as a test wants it to.
type agent struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func newAgent(t *testing.T, answer http.HandlerFunc) *agent {
	t.Helper()
	a := &agent{}
	a.answer.Store(&answer)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		(*a.answer.Load())(w, r)
	}))
	t.Cleanup(a.Close)
	Setup(Options{URL: a.URL, Environment: "prod", Token: "t", Defaults: Defaults{"by-default": true, "half": true}, Users: 2})
	// What is slow here is the machine.
	client.Load().wait = time.Minute
	client.Load().patient = time.Minute
	return a
}

const some = `{"flags": [
	{"key": "on", "value": true, "variant": "on", "reason": "STATIC"},
	{"key": "by-default", "value": false, "variant": "off", "reason": "STATIC"},
	{"key": "half", "errorCode": "TARGETING_KEY_MISSING", "errorDetails": "nobody"},
	{"key": "off-without-value", "variant": null, "reason": "DISABLED"},
	{"key": "null", "value": null},
	{"key": "columns", "value": 3}, {"key": "ratio", "value": 1.0}, {"key": "colour", "value": "#f00"},
	{"key": "page", "value": {"title": "Xin chào", "columns": 3}}
]}`

func always(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"tag"`)
		fmt.Fprint(w, body)
	}
}

// until waits for what will be so, for 15 seconds at most.
func until(is func() bool) {
	limit := time.Now().Add(15 * time.Second)
	for !is() {
		if time.Now().After(limit) {
			panic("waited in vain")
		}
		time.Sleep(time.Millisecond)
	}
}

func check(t *testing.T, user, name string, expected bool) {
	t.Helper()
	if on := IsEnabled(context.Background(), user, name); on != expected {
		t.Fatalf("%s for %s is %t", name, user, on)
	}
}

func TestAFlagAnswersAndWhatHasNoAnswerIsTheDefault(t *testing.T) {
	newAgent(t, always(some))
	check(t, "user-7", "on", true)
	check(t, "user-7", "by-default", false)
	check(t, "user-7", "half", true)
	check(t, "user-7", "unknown", false)
	check(t, "user-7", "columns", false)
	check(t, "user-7", "null", false)
}

func TestValuesAreOfTheTypeThatIsAskedFor(t *testing.T) {
	newAgent(t, always(some))
	type page struct {
		Title   string
		Columns int
	}
	ctx := With(context.Background(), nil)
	told := fmt.Sprintln(
		Value(ctx, "user-7", "columns", 2), Value(ctx, "user-7", "columns", 2.5), Value(ctx, "user-7", "ratio", 0.5),
		Value(ctx, "user-7", "colour", "none"), Value(ctx, "user-7", "page", page{}),
		// Of other types, or none.
		Value(ctx, "user-7", "colour", 7), Value(ctx, "user-7", "columns", "none"),
		Value(ctx, "user-7", "off-without-value", 7), Value(ctx, "user-7", "unknown", "default"),
	)
	if told != "3 3 1 #f00 {Xin chào 3} 7 none 7 default\n" {
		t.Fatal(told)
	}
}

func TestTheQuestionSaysWhoAsksAndFromWhere(t *testing.T) {
	var asked string
	newAgent(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		header := r.Header
		asked = fmt.Sprintln(r.Method, r.URL.Path, header["X-Teal-Environment"], header["Authorization"], string(body))
		fmt.Fprint(w, some)
	})
	ctx := With(context.Background(), map[string]any{"clinic": "hcm-3"})
	IsEnabled(ctx, "user-7", "on")
	if asked != `POST /ofrep/v1/evaluate/flags [prod] [Bearer t] {"context":{"clinic":"hcm-3","targetingKey":"user-7"}}`+"\n" {
		t.Fatal(asked)
	}
	IsEnabled(context.Background(), "", "on")
	if !strings.HasSuffix(asked, `{"context":{}}`+"\n") {
		t.Fatal(asked)
	}
}

func TestARequestAsksOnceForEachUserAndOnlyIfAFlagIsAskedFor(t *testing.T) {
	agent := newAgent(t, always(some))
	serve := func(handler http.HandlerFunc) {
		Middleware(handler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	serve(func(http.ResponseWriter, *http.Request) {})
	if asked := agent.asked.Load(); asked != 0 {
		t.Fatal(asked)
	}
	serve(func(_ http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		for i := 0; i < 20; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				IsEnabled(r.Context(), "user-7", "on")
			}()
		}
		all.Wait()
		// It does not see a change in its midst.
		other := always(`{"flags": []}`)
		agent.answer.Store(&other)
		if !IsEnabled(r.Context(), "user-7", "on") {
			t.Error("one request has seen two moments")
		}
	})
	if asked := agent.asked.Load(); asked != 1 {
		t.Fatal(asked)
	}
	check(t, "user-7", "on", false)
}

func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	sent := 0
	newAgent(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"tag"`)
		if r.Header.Get("If-None-Match") == `"tag"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprint(w, some)
	})
	for i := 0; i < 3; i++ {
		check(t, "user-7", "on", true)
	}
	if sent != 1 {
		t.Fatal(sent)
	}
}

func TestWithoutAnAgentTheLastAnswerCountsAndThenTheDefault(t *testing.T) {
	fails := map[string]http.HandlerFunc{
		"an error":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) },
		"no JSON":      always(`{"flags": [`),
		"another 200":  always(`"a page"`),
		"a 304":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"a broken one": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for what, fail := range fails {
		t.Run(what, func(t *testing.T) {
			agent := newAgent(t, always(some))
			check(t, "user-7", "on", true)
			agent.answer.Store(&fail)
			check(t, "user-7", "on", true)
			check(t, "user-7", "by-default", false)
			check(t, "user-8", "on", false)
			check(t, "user-8", "by-default", true)
		})
	}
	agent := newAgent(t, always(some))
	check(t, "user-7", "on", true)
	agent.Close()
	check(t, "user-7", "on", true)
	check(t, "user-8", "by-default", true)
}

func TestASlowAgentIsNotWaitedForAndItsAnswerIsKeptAllTheSame(t *testing.T) {
	agent := newAgent(t, always(some))
	check(t, "user-1", "on", true)
	hold, held := make(chan struct{}), new(sync.Once)
	release := func() { held.Do(func() { close(hold) }) }
	defer release()
	var slow http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		<-hold
		always(some)(w, r)
	}
	agent.answer.Store(&slow)
	client.Load().wait = wait
	// These return although nobody has answered: it is the limit that ends them.
	check(t, "user-7", "on", false)
	check(t, "user-7", "by-default", true)
	// Of a request that has ended before, not even so long.
	client.Load().wait = time.Hour
	ended, end := context.WithCancel(context.Background())
	end()
	if IsEnabled(ended, "user-7", "on") {
		t.Fatal("nobody has said so")
	}
	// Nor where too many wait already.
	for i := len(client.Load().slots); i < asking; i++ {
		client.Load().slots <- struct{}{}
	}
	check(t, "user-7", "by-default", true)
	check(t, "user-1", "on", true)
	until(func() bool { return agent.asked.Load() == 4 })
	release()
	until(func() bool { return client.Load().last.get("user-7").tag != "" })
	check(t, "user-7", "on", true)
}

func TestTheLastAnswersOfTheNewestUsersAreKept(t *testing.T) {
	agent := newAgent(t, always(some)) // two of them
	check(t, "user-1", "on", true)
	check(t, "user-2", "on", true)
	check(t, "user-1", "on", true)
	check(t, "user-3", "on", true)
	agent.Close()
	check(t, "user-1", "on", true)
	check(t, "user-2", "on", false)
	check(t, "user-3", "on", true)
	if kept := client.Load().last; len(kept.users) != 2 || kept.order.Len() != 2 {
		t.Fatal(len(kept.users), kept.order.Len())
	}
}

func TestManyAskWhileAnswersChange(t *testing.T) {
	var turn atomic.Int64
	newAgent(t, func(w http.ResponseWriter, _ *http.Request) {
		on := turn.Add(1)%2 == 0
		json.NewEncoder(w).Encode(map[string]any{"flags": []any{map[string]any{"key": "on", "value": on}}})
	})
	var all sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		all.Add(1)
		go func(worker int) {
			defer all.Done()
			for i := 0; i < 50; i++ {
				ctx := With(context.Background(), nil)
				user := fmt.Sprint("user-", worker%3)
				if IsEnabled(ctx, user, "on") != IsEnabled(ctx, user, "on") {
					t.Error("one request has seen two moments")
				}
			}
		}(worker)
	}
	all.Wait()
}

func TestBeforeSetupEverythingIsOff(t *testing.T) {
	client.Store(nil)
	check(t, "user-7", "by-default", false)
	if value := Value(context.Background(), "user-7", "columns", 2); value != 2 {
		t.Fatal(value)
	}
}
