//! A HAProxy that serves another site as well: `teal proxy adopt`, `haproxy -f theirs -f ours`, releases by hand and by Teal, and
//! the way out, while both sites are asked all the time.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use teal_testkit::{Backend, Folder, HaProxy, Mode, Request, folder, free_port, free_ports, get, haproxy_path, until};
use tokio_util::task::AbortOnDropHandle;

use super::page::commands;
use crate::said::{Said, command, teal};
use crate::site::TEAL;

/// Ends with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The box: one HAProxy with the blog and, as today's scripts left it, the shop.
struct Place {
    haproxy: HaProxy,
    addr: SocketAddr,
    blue: u16,
    green: u16,
    _shop: Backend,
    _blog: Backend,
}

impl Place {
    async fn start() -> Self {
        let folder = folder();
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (blog, shop) = (Backend::start("blog").await, Backend::start("shop").await);
        let ports = free_ports(2);
        let (blue, green) = (*ports.start(), *ports.end());
        let theirs = format!(
            "global\n  maxconn 500\n\ndefaults\n  mode http\n  timeout client 9s\n  timeout server 9s\n  timeout connect 1s\n\n\
             frontend web\n  bind {addr}\n  acl shop hdr(host) -i shop.example\n  # what the scripts switch\n  \
             use_backend shop if shop\n  default_backend blog\n\nbackend blog\n  server one {}\n\nbackend shop\n  server one {}\n",
            blog.addr(),
            shop.addr(),
        );
        fs::write(folder.path().join("teal.toml"), configuration(&folder, blue, green)).unwrap();
        let haproxy = HaProxy::start(folder, &theirs, Mode::Single).await;
        Self { haproxy, addr, blue, green, _shop: shop, _blog: blog }
    }

    /// A line as it is typed on the box.
    fn shell(&self, line: &str) -> Said {
        let [teal, haproxy] = [Path::new(TEAL), &haproxy_path()].map(|program| program.parent().unwrap().to_owned());
        let path = format!("{}:{}:{}", teal.display(), std::env::var("PATH").unwrap(), haproxy.display());
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c", line]).current_dir(self.haproxy.path()).env("PATH", path);
        Said::from(command.env_remove("TEAL_CONFIG").stdin(Stdio::null()).output().unwrap())
    }

    /// The lines of a block of `docs/from-scripts.md`, with this place's paths.
    fn commands<const LINES: usize>(&self, name: &str) -> [String; LINES] {
        let here = |line: &String| {
            line.replace("/etc/haproxy/haproxy.cfg", "main.cfg")
                .replace("/etc/haproxy/teal/prod.map", "edge.map")
                .replace("/etc/haproxy/", "")
        };
        let lines: Vec<String> = commands("from-scripts.md", name).iter().map(here).collect();
        lines.try_into().unwrap()
    }

    /// Who answers for this host, and with which version.
    async fn who(&self, host: &str) -> String {
        let reply = Request::get("/").header("host", host).send(self.addr).await.unwrap();
        let version = reply.header("x-version");
        if version.is_empty() { reply.body } else { version.to_owned() }
    }

    /// The application as a script starts it.
    async fn run(&self, port: u16, version: &str) -> Started {
        let colour = if port == self.blue { "blue" } else { "green" };
        let mut app = Command::new(TEAL);
        app.args(["sample-app", "--port", &port.to_string(), "--version", version, "--colour", colour]);
        let started = Started(app.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        until("the application answers", || async {
            get(at, "/healthz").await.ok().filter(|reply| reply.status == 200)
        })
        .await;
        started
    }

    fn agent(&self) -> Started {
        let log = fs::File::create(self.haproxy.path().join("agent.log")).unwrap();
        Started(command(self.haproxy.path(), &["agent"]).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    async fn until_it_says(&self, words: &[&str]) {
        until("teal status says so", || async {
            let said = teal(self.haproxy.path(), &["status", "prod"]);
            words.iter().all(|word| said.text.contains(word)).then_some(())
        })
        .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}\n{}",
                fs::read_to_string(self.haproxy.path().join("agent.log")).unwrap_or_default(),
                self.haproxy.log()
            );
        }
        teal(self.haproxy.path(), &["stop", "--all", "--yes"]);
    }
}

fn configuration(folder: &Folder, blue: u16, green: u16) -> String {
    let path = |name: &str| folder.path().join(name).display().to_string();
    format!(
        "app = \"shop\"\nstate = \"{}\"\n[agent]\nlisten = \"127.0.0.1:{}\"\n[environments.prod]\nmode = \"observe\"\n\
         url = \"https://shop.example:8443/start\"\n[environments.prod.edge]\nmap = \"{}\"\nsocket = \"{}\"\n\
         bind = [\"127.0.0.1:{}\"]\nform = \"fragment\"\n[components.app]\n\
         run = [\"{TEAL}\", \"sample-app\", \"--port\", \"{{port}}\", \"--version\", \"{{version}}\", \"--colour\", \"{{colour}}\"]\n\
         ports = \"{blue}-{green}\"\ngrace = \"1s\"\n[watch]\nmin = \"500ms\"\nmax = \"30s\"\nmin_requests = 20\n",
        path("state"),
        free_port(),
        path("edge.map"),
        path("edge.sock"),
        free_port(),
    )
}

/// People who never stop asking for one host.
struct People {
    asked: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    _task: AbortOnDropHandle<()>,
}

impl People {
    fn of(host: &'static str, addr: SocketAddr) -> Self {
        let (asked, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (Arc::clone(&asked), Arc::clone(&failed));
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut often = tokio::time::interval(std::time::Duration::from_millis(10));
            loop {
                often.tick().await;
                let reply = Request::get("/").header("host", host).send(addr).await;
                counts.0.fetch_add(1, Ordering::Relaxed);
                if reply.is_err() || reply.is_ok_and(|reply| reply.status != 200) {
                    counts.1.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
        Self { asked, failed, _task: task }
    }

    async fn lost_none(&self) {
        let before = self.asked.load(Ordering::Relaxed);
        until("a few more have asked", || async { (self.asked.load(Ordering::Relaxed) > before + 20).then_some(()) })
            .await;
        assert_eq!(self.failed.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_site_and_ours_answer_from_two_files_through_adoption_releases_and_the_way_out() {
    let mut place = Place::start().await;
    let people = [People::of("shop.example", place.addr), People::of("blog.example", place.addr)];
    let theirs = fs::read_to_string(place.haproxy.path().join("main.cfg")).unwrap();
    // What the scripts started is blue from now on.
    let v1 = place.run(place.blue, "v1").await;

    let [touch, render, adopt, patch, check] = place.commands("the fragment");
    place.shell(&touch).expect(0, &[]);
    place.shell(&render).expect(0, &[]);
    let adopted = place.shell(&adopt);
    adopted.expect(0, &["main.cfg: frontend web gets", "ok  HAProxy ", "undo: patch -R "]);
    assert_eq!(fs::read_to_string(place.haproxy.path().join("main.cfg")).unwrap(), theirs, "nothing is written");
    place.shell(&patch).expect(0, &[]);
    place.shell(&check).expect(0, &[]);
    place.shell("teal proxy adopt main.cfg").expect(0, &["has what it needs for prod already"]);
    place.shell("teal proxy check --fragment prod --beside main.cfg").expect(0, &["ok  HAProxy "]);
    assert_eq!((place.who("shop.example").await, place.who("blog.example").await), ("shop".into(), "blog".into()));

    place.haproxy.beside("teal.cfg");
    place.haproxy.reload().await;
    assert_eq!((place.who("shop.example").await, place.who("Shop.Example:443").await), ("v1".into(), "v1".into()));
    assert_eq!(place.who("blog.example").await, "blog");

    // A release as the scripts do it, looked at.
    let [today, release, history, explain] = place.commands("a release by the script");
    place.shell(&today).expect(0, &["ok   HAProxy routes by it"]);
    let agent = place.agent();
    place.until_it_says(&["observe", "idle"]).await;
    let v2 = place.run(place.green, "v2").await;
    until("HAProxy has seen green", || async {
        place.shell("teal proxy show").text.contains("green  1 up").then_some(())
    })
    .await;
    place.shell(&release).expect(0, &["ok   HAProxy routes by it"]);
    until("it is seen", || async { place.shell(&history).text.contains("r-0002").then_some(()) }).await;
    // Who did it is known: it was `teal` itself.
    assert!(!place.shell(&history).text.contains("somebody else"));
    assert_eq!((place.who("shop.example").await, place.who("blog.example").await), ("v2".into(), "blog".into()));
    place.shell(&explain).expect(0, &["somebody moved traffic"]);
    place.until_it_says(&["idle"]).await;
    drop(v1);

    // And one by Teal.
    drop(agent);
    let file = place.haproxy.path().join("teal.toml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("\"observe\"", "\"act\"")).unwrap();
    let agent = place.agent();
    place.until_it_says(&["act", "idle"]).await;
    let [plan, deploy] = place.commands("act").map(|line| line.replace("v1.2.3", "v3"));
    place.shell(&plan).expect(0, &["v3"]);
    place.shell(&deploy).expect(0, &["ok  deploy", "ok  switch", "ok  completed"]);
    assert_eq!((place.who("shop.example").await, place.who("blog.example").await), ("v3".into(), "blog".into()));
    drop(v2);

    // The way out, first with Teal's configuration gone, then with their own as it was.
    let [leave, mv] = place.commands("leave");
    place.shell(&leave).expect(0, &["app blue for good", "haproxy -c -f YOURS -f "]);
    drop(agent);
    place.shell(&mv).expect(0, &[]);
    place.haproxy.reload().await;
    fs::remove_file(place.haproxy.path().join("edge.map")).unwrap();
    assert_eq!((place.who("shop.example").await, place.who("blog.example").await), ("v3".into(), "blog".into()));
    let [undo] = place.commands("undo the fragment");
    place.shell(&undo).expect(0, &[]);
    assert_eq!(fs::read_to_string(place.haproxy.path().join("main.cfg")).unwrap(), theirs);
    place.haproxy.reload().await;
    assert_eq!((place.who("shop.example").await, place.who("blog.example").await), ("shop".into(), "blog".into()));
    for people in &people {
        people.lost_none().await;
    }
}

#[tokio::test]
async fn a_configuration_that_haproxy_refuses_or_that_says_too_little_is_not_adopted() {
    let place = Place::start().await;
    fs::write(place.haproxy.path().join("edge.map"), "").unwrap();
    let theirs = fs::read_to_string(place.haproxy.path().join("main.cfg")).unwrap();
    let check = |change: &dyn Fn(String) -> String, options: &str, exit: i32, said: &[&str]| {
        fs::write(place.haproxy.path().join("other.cfg"), change(theirs.clone())).unwrap();
        place.shell(&format!("teal proxy adopt other.cfg {options}")).expect(exit, said);
    };
    check(&|text| text, "", 0, &["+  use_backend teal_prod_edge if", "+  hard-stop-after 60s"]);
    check(&|text| text, "--json", 0, &["\"frontend\":\"web\"", "\"exit\":0", "\"diff\":\"--- other.cfg"]);
    check(&|text| text.replace("maxconn 500", "maxcon 500"), "", 2, &["!!  HAProxy ", "refuses it", "maxcon"]);
    check(&|text| text.replace("mode http", "mode tcp"), "", 2, &["other.cfg: it has no frontend in `mode http`"]);
    check(&|text| text, "--frontend api", 2, &["there is none of this name", "web"]);
    place.shell("teal proxy adopt gone.cfg").expect(2, &["cannot read gone.cfg"]);
}
