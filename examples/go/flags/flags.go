// Package flags answers feature flags of a Teal agent on this machine. It asks for all flags of a user at once, at most once a
// request, and waits at most 20 ms: then the last answer for that user counts, and where there is none, the default.
//
//	IsEnabled --> what this request knows of the user --> agent (20 ms, ETag) --> last answer of the user --> default
package flags

import (
	"context"
	"encoding/json"
	"sync/atomic"
)

// Defaults count where nobody knows better. A flag that is not there is false.
type Defaults map[string]bool

var client atomic.Pointer[Client]

// Setup says where the agent is, before any flag is asked for. It asks nothing and never fails.
func Setup(options Options) {
	client.Store(New(options))
}

// IsEnabled says whether a flag that is a switch is on for a user. The user's id goes to the agent on this machine and nowhere else;
// empty is nobody.
func IsEnabled(ctx context.Context, user, name string) bool {
	client := client.Load()
	if client == nil {
		return false
	}
	return Value(ctx, user, name, client.options.Defaults[name])
}

// Value is the value of a flag that serves something else: a string, a number, or a struct as encoding/json reads it. What is of
// another type is the default.
func Value[T any](ctx context.Context, user, name string, fallback T) T {
	raw, known := answersFor(ctx, user)[name]
	if !known {
		return fallback
	}
	value := new(*T)
	if err := json.Unmarshal(raw, value); err != nil || *value == nil {
		return fallback
	}
	return **value
}

// answersFor are those of this request, or new ones where there is no Middleware.
func answersFor(ctx context.Context, user string) answers {
	client := client.Load()
	if client == nil {
		return nil
	}
	if request, ok := ctx.Value(key{}).(*request); ok {
		return request.answersFor(ctx, client, user)
	}
	return client.ask(ctx, user, nil)
}
