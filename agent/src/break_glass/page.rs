//! The text of a page, made of an environment's configuration and a policy. Pure.

use std::fmt::Write as _;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Policy, Route, Verdict};
use teal_rollout::settings::Mode;
use time::OffsetDateTime;
use time::macros::format_description;

use super::site::{Site, Tells};
use crate::proxy::haproxy::force::from_nothing;
use crate::proxy::haproxy::standing::Standing;

impl Site {
    fn teal(&self, words: &str) -> String {
        match &self.configuration {
            Some(path) => format!("teal --config {} {words}", quoted(&path.display().to_string())),
            None => format!("teal {words}"),
        }
    }

    /// One line to HAProxy, by a program that most machines have.
    fn by_socat(&self, line: &str) -> String {
        format!("echo {} | socat - {}", quoted(line), quoted(&format!("UNIX-CONNECT:{}", self.socket.display())))
    }

    fn by_nc(&self, line: &str) -> String {
        format!("echo {} | nc -U {}", quoted(line), quoted(&self.socket.display().to_string()))
    }

    /// The same with what every Debian has.
    fn by_perl(&self, line: &str) -> String {
        let program = "$s = IO::Socket::UNIX->new(Peer => shift) or die $!; print $s \"@ARGV\\n\"; print <$s>";
        let socket = quoted(&self.socket.display().to_string());
        format!("perl -MIO::Socket::UNIX -e '{program}' {socket} {}", quoted(line))
    }

    fn set(&self, policy: &Policy) -> String {
        format!("set map {} policy {policy}", self.map.display())
    }
}

/// The page for `present`, what the edge routes by and what that means; `None`: nothing valid is known.
#[must_use]
pub fn page(site: &Site, present: Option<&Standing>, now: OffsetDateTime) -> String {
    let at = now.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC")).unwrap_or_default();
    let Site { app, environment, host, .. } = site;
    let mut text = format!(
        "BREAK GLASS   {environment} of {app}, edge {host}   written {at}\n\
         For when no agent answers. {} An agent that does answer is\n\
         better: {}.\n\n",
        if site.has_proxy {
            "It needs this machine and HAProxy, nothing else."
        } else {
            "It needs the cluster's API server."
        },
        site.teal(&format!("rollback {environment}"))
    );
    text += &serving(site, present.map(Standing::seen));
    text += &look(site);
    text += "\n2. MOVE   one way is enough; ";
    text += if site.has_proxy {
        "a colour without a server UP answers 503 to everybody\n"
    } else {
        "a colour without a ready Pod answers nobody\n"
    };
    let is_mixed = |policy: &Policy| policy.routes.iter().any(|route| route.stable != policy.routes[0].stable);
    if let Some(present) = present.filter(|present| is_mixed(present.policy())) {
        let stable: Vec<Colour> = present.policy().routes.iter().map(|route| route.stable).collect();
        let names = site.components.iter().zip(&stable).map(|(name, colour)| format!("{name} {colour}"));
        let heading = format!("everything BACK: the last good colours, {}", names.collect::<Vec<_>>().join(", "));
        text += &choice(site, &heading, "back", &present.back(), &stable);
    }
    for colour in Colour::BOTH {
        let heading = format!(
            "everything to {}: {}",
            colour.as_str().to_uppercase(),
            known_of(site, present.map(Standing::policy), colour)
        );
        let goals = vec![Some(colour); site.components.len()];
        let (goal, policy) = match present {
            // By its name it would be a release.
            Some(present) if present.is_way_back(colour) => ("back", present.back()),
            Some(present) => (colour.as_str(), present.to(&goals)),
            None => (colour.as_str(), from_nothing(&goals)),
        };
        text += &choice(site, &heading, goal, &policy, &vec![colour; site.components.len()]);
    }
    text += &afterwards(site);
    text
}

fn serving(site: &Site, present: Option<&Policy>) -> String {
    let Some(policy) = present else {
        return if site.has_proxy {
            "  routed by   nothing that is known; HAProxy gives blue then, or green where blue has no server up\n"
        } else {
            "  routed by   the selectors of the Services alone\n"
        }
        .to_owned();
    };
    let mut text = format!("  routed by   {policy}\n");
    for (name, route) in site.components.iter().zip(&policy.routes) {
        let Route { stable, candidate, share } = *route;
        let old = Share::ALL.get().checked_sub(share.get()).and_then(Share::new).unwrap_or_default();
        let serves = match (share, stable == candidate) {
            (_, true) => format!("100 % {stable}"),
            _ => format!("{old} {stable}, {share} {candidate}"),
        };
        let _ = writeln!(text, "  {name:<11} {serves}");
    }
    text
}

fn look(site: &Site) -> String {
    let environment = &site.environment;
    let mut text = format!("\n1. LOOK\n  {}\n", site.teal(&format!("status {environment}")));
    if site.has_proxy {
        let _ = write!(
            text,
            "  {}\n  {} | grep '^teal_{environment}_' | cut -d , -f 1,2,18\n",
            site.by_socat(&format!("show map {}", site.map.display())),
            site.by_socat("show stat"),
        );
    }
    if let Some(cluster) = &site.cluster {
        let _ = write!(text, "  {}\n  {}\n", cluster.selectors(), cluster.ready());
    }
    text
}

/// How everything is moved: `goal` is the word for `edge force`, `policy` what it writes, `colours` what each component gets.
fn choice(site: &Site, heading: &str, goal: &str, policy: &Policy, colours: &[Colour]) -> String {
    let force = site.teal(&format!("edge force {} {goal} --reason 'why'", site.environment));
    let mut text = format!("\n{heading}\n  {force}\n");
    if site.has_proxy {
        text += &by_proxy(site, policy);
    }
    if let Some(cluster) = &site.cluster {
        text += match (site.has_proxy, cluster.services.len()) {
            (true, _) => " and for those within the cluster, who do not come through HAProxy\n",
            (false, 1) => " or this\n",
            (false, _) => " or these, all of them\n",
        };
        for (service, colour) in cluster.services.iter().zip(colours) {
            let _ = writeln!(text, "  {}", cluster.points(service, *colour));
        }
    }
    text
}

fn by_proxy(site: &Site, policy: &Policy) -> String {
    let set = site.set(policy);
    let mut text = " or one of these three, which says nothing when it is done,\n".to_owned();
    for line in [site.by_socat(&set), site.by_nc(&set), site.by_perl(&set)] {
        let _ = writeln!(text, "  {line}");
    }
    text += " and then this, or a reload of HAProxy brings back what is there now\n";
    let _ = writeln!(text, "  printf 'policy %s\\n' {policy} > {}", quoted(&site.map.display().to_string()));
    text
}

fn known_of(site: &Site, present: Option<&Policy>, colour: Colour) -> String {
    let Some(policy) = present else { return "nothing is known of it".to_owned() };
    let of = |route: &Route| match (route.stable == colour, route.candidate == colour, policy.epoch.verdict) {
        (true, _, _) => "the last good colour",
        (_, true, Verdict::Bad) => "CALLED BAD",
        (_, true, Verdict::Open) => "under release, its watch perhaps not over",
        (_, false, _) => "not in use, perhaps not running",
    };
    let known: Vec<&str> = policy.routes.iter().map(of).collect();
    match known.first() {
        Some(first) if known.iter().all(|of| of == first) => (*first).to_owned(),
        _ => site.components.iter().zip(known).map(|(name, of)| format!("{name} {of}")).collect::<Vec<_>>().join("; "),
    }
}

fn afterwards(site: &Site) -> String {
    let environment = &site.environment;
    let mut text = "\n3. CHECK\n".to_owned();
    if site.has_proxy {
        let _ = writeln!(text, "  {}", site.by_socat(&format!("show map {}", site.map.display())));
    }
    if let Some(cluster) = &site.cluster {
        let _ = writeln!(text, "  {}", cluster.selectors());
    }
    if let Some(url) = &site.url {
        let _ = writeln!(text, "  curl -si {} | head -n 1", quoted(url));
    }
    text += "\n4. TELL\n";
    text += &match &site.tells {
        Tells::Nobody => {
            " `[notify]` names nobody: ring whoever released last, and whoever is woken by this environment.\n"
                .to_owned()
        }
        Tells::Webhook => {
            " whoever reads the channel behind `notify.webhook`; without an agent it is silent.\n".to_owned()
        }
        Tells::Command(words) => {
            let command: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!(
                " whoever `notify.command` reaches; without an agent it is silent, but you can start it yourself:\n  \
                 echo '{environment}: traffic was moved by hand' | {}\n",
                command.join(" ")
            )
        }
    };
    let agent = match site.mode {
        Mode::Act => format!(
            " An agent that comes back takes a move to the last good colour for a rollback by hand and stays with it. A \
             move\n to another colour it puts back. To keep one, let the agent start, tell it `{}`, and move again.\n",
            site.teal(&format!("pause {environment}"))
        ),
        Mode::Observe | Mode::Advise => {
            " The agent only watches this edge: it leaves everything as you did it.\n".to_owned()
        }
    };
    let _ = write!(
        text,
        "\n5. BACK TO NORMAL\n{agent}  systemctl start teal\n  {}\n  {}\n",
        site.teal(&format!("status {environment}")),
        site.teal(&format!("history {environment}")),
    );
    if site.has_proxy {
        let map = site.map.display();
        let _ = writeln!(
            text,
            " The first must say `reload-safe  yes`. What you did stands in {map}.forced, where `edge force` did it."
        );
    } else {
        text += " What `edge force` did stands on each Service, as the annotation teal.trancloud.work/hand.\n";
    }
    text
}

/// One word of a shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:@+-=,%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cluster;
    use super::super::fixture::site;
    use super::*;
    use crate::proxy::haproxy::standing::Author;

    fn at(site: &Site, policy: Option<&str>) -> String {
        let present = policy.map(|policy| Author::Agent.standing(policy.parse().unwrap()));
        page(site, present.as_ref(), OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_page_has_every_line_that_is_needed_for_each_colour() {
        insta::assert_snapshot!(at(&site(), Some("v1:43.1.open:blue:green:100000:green:green:0:shop-prod:0")));
    }

    #[test]
    fn what_is_known_of_a_colour_is_said_before_anybody_moves_there() {
        let check = |policy: Option<&str>, colour: &str, words: &str| {
            let text = at(&site(), policy);
            assert!(text.contains(&format!("\neverything to {colour}: {words}\n")), "{policy:?}: {text}");
        };
        let watched = Some("v1:43.1.open:blue:green:100000:blue:green:100000:s:0");
        check(watched, "BLUE", "the last good colour");
        check(watched, "GREEN", "under release, its watch perhaps not over");
        let bad = Some("v1:43.1.bad:blue:green:0:blue:green:0:s:0");
        check(bad, "GREEN", "CALLED BAD");
        check(bad, "BLUE", "the last good colour");
        let one = Some("v1:43.1.open:blue:green:100000:green:green:0:s:0");
        assert!(at(&site(), one).contains("\neverything BACK: the last good colours, api blue, web green\n"));
        assert!(!at(&site(), watched).contains("everything BACK"), "one colour is the way back there");
        check(one, "BLUE", "api the last good colour; web not in use, perhaps not running");
        check(None, "GREEN", "nothing is known of it");
    }

    #[test]
    fn each_line_is_one_word_after_another_for_a_shell() {
        for (word, shell) in
            [("/run/x.sock", "/run/x.sock"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x;", "'$x;'")]
        {
            assert_eq!(quoted(word), shell);
        }
        let text = at(&Site { configuration: Some("/etc/my shop/teal.toml".into()), ..site() }, None);
        assert!(
            text.contains("\n  teal --config '/etc/my shop/teal.toml' edge force prod blue --reason 'why'\n"),
            "{text}"
        );
    }

    #[test]
    fn who_is_told_is_named_and_a_webhook_never_is() {
        let check = |tells, words: &str| {
            let text = at(&Site { tells, ..site() }, None);
            assert!(text.contains(words), "{text}");
        };
        check(Tells::Nobody, "names nobody: ring whoever");
        check(Tells::Webhook, "the channel behind `notify.webhook`");
        check(Tells::Command(vec!["ntfy send".into(), "x".into()]), "moved by hand' | 'ntfy send' x\n");
        let text = at(&Site { mode: Mode::Observe, ..site() }, None);
        assert!(text.contains("only watches this edge") && !text.contains("puts back"), "{text}");
    }

    #[test]
    fn in_a_cluster_the_services_are_moved_too() {
        let cluster = Cluster {
            namespace: "shop-prod".into(),
            services: vec!["shop-api".into(), "shop-web".into()],
            kubeconfig: None,
            context: None,
        };
        let lines = |text: &str, kubectl: &str| {
            for colour in Colour::BOTH {
                for service in ["shop-api", "shop-web"] {
                    let line = format!(
                        "\n  {kubectl} patch service {service} --type merge -p \
                         '{{\"spec\":{{\"selector\":{{\"version\":\"{colour}\"}}}}}}'\n"
                    );
                    assert!(text.contains(&line), "{line}: {text}");
                }
            }
            let look = format!("\n  {kubectl} get service shop-api shop-web -o custom-columns");
            assert_eq!(text.matches(&look).count(), 2, "before and after: {text}");
            assert!(text.contains("get deployment shop-api-blue shop-api-green shop-web-blue"), "{text}");
        };
        let beside = at(&Site { cluster: Some(cluster.clone()), ..site() }, None);
        lines(&beside, "kubectl -n shop-prod");
        assert!(beside.contains("socat") && beside.contains("who do not come through HAProxy"), "{beside}");

        // From the edge's machine, whose `kubectl` knows no cluster by itself.
        let from_outside =
            Cluster { kubeconfig: Some("/etc/teal/my kubeconfig".into()), context: Some("home".into()), ..cluster };
        let site = Site { cluster: Some(from_outside), has_proxy: false, url: None, ..site() };
        let text = at(&site, Some("v1:43.1.bad:blue:green:0:blue:blue:0:s:0"));
        lines(&text, "kubectl --kubeconfig '/etc/teal/my kubeconfig' --context home -n shop-prod");
        for words in [
            "  routed by   v1:43.1.bad:blue:green:0:blue:blue:0:s:0\n",
            "everything to BLUE: the last good colour\n  teal --config /etc/teal/teal.toml edge force prod blue --reason",
            "everything to GREEN: api CALLED BAD; web not in use",
            "a colour without a ready Pod answers nobody",
            "teal.trancloud.work/hand",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("socat") && !text.contains("reload"), "{text}");
    }
}
