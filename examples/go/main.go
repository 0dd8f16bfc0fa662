// A shop that asks for flags: see README.md.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"teal.example/shop/flags"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "where to listen")
	agent := flag.String("agent", "http://127.0.0.1:9181", "where Teal's agent serves flags")
	tokenFile := flag.String("token-file", "", "a file with the token of the role sdk; an agent with --dev asks for none")
	flag.Parse()
	token := ""
	if *tokenFile != "" {
		text, err := os.ReadFile(*tokenFile)
		if err != nil {
			log.Fatal(err)
		}
		token = strings.TrimSpace(string(text))
	}

	flags.Setup(flags.Options{
		URL:         *agent,
		Environment: "prod",
		Token:       token,
		Defaults:    flags.Defaults{"billing_integration": true},
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// Of a real application this is the id in the session.
		user := r.URL.Query().Get("user")
		for _, name := range []string{"telehealth", "billing_integration"} {
			fmt.Fprintf(w, "%s %t\n", name, flags.IsEnabled(r.Context(), user, name))
		}
	})
	server := &http.Server{Addr: *listen, Handler: flags.Middleware(mux), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
