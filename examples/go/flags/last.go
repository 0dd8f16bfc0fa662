package flags

import (
	"container/list"
	"sync"
)

// kept is an answer and its tag.
type kept struct {
	user    string
	tag     string
	answers answers
}

// last holds the last answer of each user, of those who were answered last.
type last struct {
	mu    sync.Mutex
	most  int
	users map[string]*list.Element
	order *list.List // of kept, the newest first
}

func newLast(most int) *last {
	return &last{most: most, users: map[string]*list.Element{}, order: list.New()}
}

func (l *last) get(user string) kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.users[user]; found != nil {
		return found.Value.(kept)
	}
	return kept{}
}

func (l *last) put(user string, answer kept) {
	answer.user = user
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.users[user]; found != nil {
		found.Value = answer
		l.order.MoveToFront(found)
		return
	}
	l.users[user] = l.order.PushFront(answer)
	for len(l.users) > l.most {
		delete(l.users, l.order.Remove(l.order.Back()).(kept).user)
	}
}
