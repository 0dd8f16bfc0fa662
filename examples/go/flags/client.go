package flags

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Options say where the agent is, and what to do without it.
type Options struct {
	URL         string   // of the agent; "" is http://127.0.0.1:9181
	Environment string   // flags that are meant for others are off
	Token       string   // where the agent asks for one
	Defaults    Defaults // see there
	Users       int      // whose last answer is kept; 0 is 1,000
}

const (
	wait    = 20 * time.Millisecond // what a request waits for the agent
	patient = time.Second           // what an answer may take to be kept for the next request
	asking  = 64                    // questions under way; beyond, last answers count at once
	largest = 8 << 20               // bytes of an answer
)

// answers are the values of flags, those that have one for this user.
type answers map[string]json.RawMessage

// Client asks one agent. It is safe for use by several goroutines.
type Client struct {
	options Options
	wait    time.Duration
	patient time.Duration
	http    *http.Client
	slots   chan struct{}
	last    *last
}

// New makes a client of its own; most need only Setup.
func New(options Options) *Client {
	if options.URL == "" {
		options.URL = "http://127.0.0.1:9181"
	}
	if options.Users == 0 {
		options.Users = 1000
	}
	// No proxy of the environment: the agent is here.
	transport := &http.Transport{MaxIdleConnsPerHost: asking, IdleConnTimeout: 5 * time.Second}
	return &Client{
		options: options,
		wait:    wait,
		patient: patient,
		http:    &http.Client{Transport: transport},
		slots:   make(chan struct{}, asking),
		last:    newLast(options.Users),
	}
}

// ask is the agent's answer if it comes in time, else the last one. A late answer is kept for the next time.
func (c *Client) ask(ctx context.Context, user string, attributes map[string]any) answers {
	known := c.last.get(user)
	select {
	case c.slots <- struct{}{}:
	default:
		return known.answers
	}
	came := make(chan kept, 1)
	go func() {
		defer func() { <-c.slots }()
		// Not the request's: it may end before the answer comes.
		ctx, cancel := context.WithTimeout(context.Background(), c.patient)
		defer cancel()
		if answer, err := c.fetch(ctx, user, attributes, known); err == nil {
			c.last.put(user, answer)
			came <- answer
		} else {
			came <- known
		}
	}()
	timer := time.NewTimer(c.wait)
	defer timer.Stop()
	select {
	case answer := <-came:
		return answer.answers
	case <-timer.C:
	case <-ctx.Done():
	}
	return known.answers
}

// fetch asks for all flags of a user. What has not changed since known is not sent again.
func (c *Client) fetch(ctx context.Context, user string, attributes map[string]any, known kept) (kept, error) {
	question := map[string]any{}
	for name, value := range attributes {
		question[name] = value
	}
	if user != "" {
		question["targetingKey"] = user
	}
	body, err := json.Marshal(map[string]any{"context": question})
	if err != nil {
		return known, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.options.URL+"/ofrep/v1/evaluate/flags", bytes.NewReader(body))
	if err != nil {
		return known, err
	}
	header := map[string]string{"Content-Type": "application/json", "X-Teal-Environment": c.options.Environment, "If-None-Match": known.tag}
	if c.options.Token != "" {
		header["Authorization"] = "Bearer " + c.options.Token
	}
	for name, value := range header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return known, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largest))
	switch {
	case err != nil:
		return known, err
	case response.StatusCode == http.StatusNotModified:
		return known, nil
	case response.StatusCode != http.StatusOK:
		return known, fmt.Errorf("the agent answers %s", response.Status)
	}
	found, err := read(text)
	return kept{tag: response.Header.Get("ETag"), answers: found}, err
}

func read(text []byte) (answers, error) {
	var all struct {
		Flags []struct {
			Key   string
			Value json.RawMessage // none with an error, or where the default counts
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	found := make(answers, len(all.Flags))
	for _, flag := range all.Flags {
		if len(flag.Value) > 0 {
			found[flag.Key] = flag.Value
		}
	}
	return found, nil
}
