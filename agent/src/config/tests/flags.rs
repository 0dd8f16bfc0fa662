//! `[flags]`.

use super::*;

#[test]
fn flags_are_served_where_there_is_a_table_and_to_others_only_over_tls() {
    assert_eq!(read(LEAST).flags, None);
    let listen = |text: &str| read(&format!("{LEAST}[flags]\n{text}")).flags.unwrap().listen.to_string();
    assert_eq!(listen(""), "127.0.0.1:9181");
    assert_eq!(listen("listen = \"[::1]:80\""), "[::1]:80");
    let check = |text: &str, words: &str| {
        let found = mistakes(&format!("{LEAST}[flags]\n{text}"));
        assert!(found.len() == 1 && found[0].contains(words), "{found:#?}");
    };
    check(
        "listen = \"10.0.0.7:9181\"",
        "10.0.0.7:9181 can be reached by other machines, and tokens would travel in clear",
    );
    let tls = "tls_certificate_file = \"c.pem\"\ntls_key_file = \"k.pem\"\n";
    assert_eq!(listen(&format!("listen = \"10.0.0.7:9181\"\n{tls}")), "10.0.0.7:9181");
    assert_eq!(listen("listen = \"10.0.0.7:9181\"\ninsecure_http = true"), "10.0.0.7:9181");
    check("listen = \"127.0.0.1:9180\"", "is `agent.listen` as well");
    check("lisen = \"127.0.0.1:9181\"", "did you mean `listen`?");
    let flags =
        read(&format!("{LEAST}[flags]\npostgres_file = \"/etc/teal/flags.dsn\"\nmigrate = false\n")).flags.unwrap();
    assert_eq!((flags.postgres_file, flags.migrate), (Some("/etc/teal/flags.dsn".into()), false));
    check("postgres_fil = \"/etc/teal/flags.dsn\"", "did you mean `postgres_file`?");
    check("tls_key_file = \"k.pem\"", "flags.tls_key_file: a key needs its certificate");
    check("tls_certificate_file = \"c.pem\"", "flags.tls_certificate_file: a certificate needs its key");
    check("insecure_htp = true", "did you mean `insecure_http`?");
    check("legacy_anonymous = [\"GET /metrics\"]", "`GET /metrics` can not be opened to everybody");
    check("trusted_proxies = [\"10.0.0.0/33\"]", "`10.0.0.0/33` is not a network");
    check("origins = [\"app.example\"]", "`app.example` is no origin");
    check("origins = [\"https://app.example:443\"]", "write \"https://app.example\"");
    check("origins = [\"http://app.example:80\"]", "write \"http://app.example\"");
    for (key, value) in [("postgres_file", "\"/etc/x\""), ("migrate", "false")] {
        let line = format!("upstream = \"https://flags.internal\"\n{key} = {value}");
        check(&line, &format!("flags.{key}: a relay keeps no flags"));
    }
    check("hosts = [\"https://flags.internal\"]", "is no host's name");
    check("person_header = \"X User\"", "`X User` is no header's name");
    // Whatever is there by mistake is not repeated.
    check("first_token = \"teal_0123456789ab_5ec7e7\"", "flags.first_token: this is the digest of a token");
    assert!(!mistakes(&format!("{LEAST}[flags]\nfirst_token = \"5ec7e7\"\n"))[0].contains("5ec7e7"));
    check("limits = { streams_per_token = 0 }", "0 is not between 1 and 1000000");
    check("limits = { connections = 1300 }", "flags.limits: 1280 streams leave too few of 1300 connections");
}
