package flags

import (
	"context"
	"net/http"
	"sync"
)

// Middleware makes all flags of a request be of one moment, and asked for once: by the first question for a user, not before.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(With(r.Context(), nil)))
	})
}

// With does what Middleware does, for work that is no HTTP request, and adds attributes of the user that rules may ask for.
func With(ctx context.Context, attributes map[string]any) context.Context {
	return context.WithValue(ctx, key{}, &request{attributes: attributes, users: map[string]*once{}})
}

type key struct{}

// request is what is known within one request.
type request struct {
	attributes map[string]any
	mu         sync.Mutex
	users      map[string]*once
}

type once struct {
	sync.Once
	answers answers
}

func (r *request) answersFor(ctx context.Context, client *Client, user string) answers {
	r.mu.Lock()
	found := r.users[user]
	if found == nil {
		found = new(once)
		r.users[user] = found
	}
	r.mu.Unlock()
	found.Do(func() { found.answers = client.ask(ctx, user, r.attributes) })
	return found.answers
}
