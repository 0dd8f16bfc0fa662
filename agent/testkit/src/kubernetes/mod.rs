//! A Kubernetes API server that holds objects, in this process.
//!
//! ```text
//! kube::Client --HTTP--> serve -> dispatch: who, may they, fault? -> objects: create, patch, apply, ... -> store
//!                          ^                                                                                 |
//!                          \------------------------------- watch <------------- log of changes -------------/
//! ```
//! It keeps what it is given and answers as the real one does: versions and conflicts, watches that expire, field owners,
//! schemas and rules of custom resources, roles. `tests/kubernetes` holds it and a real server against the same cases. It has
//! no controllers (like the real one alone): nothing happens in it but by request. [`World`] is what controllers, scheduler and
//! nodes do, step by step as the test says.

mod access;
mod builtin;
mod clock;
mod control_plane;
mod discovery;
mod dispatch;
mod events;
mod faults;
mod fields;
mod kinds;
mod objects;
mod patch;
mod record;
mod refusal;
mod schema;
mod selector;
mod serve;
mod state;
mod store;
mod target;
mod value;
mod watch;
mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::config::{AuthInfo, Config};

pub use control_plane::ControlPlane;
pub use faults::{Failure, Fault};
pub use patch::strategic_merge;
pub use record::Used;
pub use watch::Cut;
pub use world::{Fate, World};

use serve::Serving;
use state::Shared;

/// Who may do everything.
const ADMIN: &str = "admin";

/// A running API server. Its objects live as long as the value, also while it is stopped.
#[derive(Debug)]
pub struct ApiServer {
    shared: Arc<Shared>,
    port: u16,
    serving: Mutex<Option<Serving>>,
}

impl ApiServer {
    /// A new one, with the namespaces `default` and `kube-system`, on a free port of loopback.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn start() -> Self {
        let server = Self { shared: Arc::new(Shared::new()), port: crate::free_port(), serving: Mutex::new(None) };
        server.shared.lock().users.add(ADMIN, ADMIN, &["system:masters"]);
        server.start_again();
        server
    }

    /// Listens again after [`Self::stop`], on the same port, with the objects that it had.
    ///
    /// # Panics
    /// When it runs already, or cannot listen.
    pub fn start_again(&self) {
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(serving.is_none(), "the API server runs already");
        let started = Serving::start(&self.shared, self.port);
        *serving = Some(started.unwrap_or_else(|error| panic!("cannot listen on port {}: {error}", self.port)));
    }

    /// Closes the port and all connections. The objects stay.
    pub async fn stop(&self) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(serving) = serving {
            serving.stop().await;
        }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How `user` reaches it: a name that becomes known by being used here, without any right but those of roles bound to
    /// it (`system:serviceaccount:NAMESPACE:NAME` is a service account). No retries: a test wants to see each failure.
    ///
    /// # Panics
    /// Never in practice: the URL is its own.
    #[must_use]
    pub fn config(&self, user: &str) -> Config {
        let mut state = self.shared.lock();
        if state.users.of(user).is_none() {
            state.users.add(user, user, &[]);
        }
        drop(state);
        let url = self.url().parse().unwrap_or_else(|error| panic!("{}: {error}", self.url()));
        let mut config = Config::new(url);
        config.auth_info = AuthInfo { token: Some(user.to_owned().into()), ..AuthInfo::default() };
        config.default_retry = false;
        config
    }

    /// A client that may do everything.
    ///
    /// # Panics
    /// When called outside of a tokio runtime.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        self.client_as(ADMIN)
    }

    /// A client of [`Self::config`].
    ///
    /// # Panics
    /// When called outside of a tokio runtime.
    #[must_use]
    pub fn client_as(&self, user: &str) -> kube::Client {
        let client = kube::Client::try_from(self.config(user));
        client.unwrap_or_else(|error| panic!("cannot make a client for {}: {error}", self.url()))
    }

    /// The client of a cluster's own controllers, told apart in [`Self::used`].
    ///
    /// # Panics
    /// When called outside of a tokio runtime.
    #[must_use]
    pub fn client_as_controllers(&self) -> kube::Client {
        const NAME: &str = "system:kube-controller-manager";
        self.shared.lock().users.add(NAME, NAME, &["system:masters"]);
        self.client_as(NAME)
    }

    /// A kubeconfig by which a program reaches it as `user`.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> String {
        drop(self.config(user));
        let url = self.url();
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: fake\nclusters:\n- name: fake\n  cluster: {{server: \"{url}\"}}\n\
             users:\n- name: fake\n  user: {{token: \"{user}\"}}\ncontexts:\n- name: fake\n  \
             context: {{cluster: fake, user: fake}}\n"
        )
    }

    /// Makes requests go wrong; several faults are asked in turn, the oldest first.
    pub fn fail(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Ends all faults. Requests that hang go on hanging.
    pub fn heal(&self) {
        self.shared.lock().faults.clear();
    }

    /// Ends every running watch.
    pub fn cut_watches(&self, cut: Cut) {
        self.shared.signal.send_modify(|signal| {
            signal.cuts += 1;
            signal.cut = cut;
        });
    }

    /// Sends a bookmark to every watch that wants some; the real server does so about once a minute.
    pub fn bookmark(&self) {
        self.shared.signal.send_modify(|signal| signal.bookmarks += 1);
    }

    /// Forgets the past: watches and lists of an older revision get a 410.
    pub fn compact(&self) {
        self.shared.lock().objects.store.compact();
    }

    /// Puts the server's clock ahead of this machine's, or behind it.
    pub fn skew(&self, ahead: Duration, behind: Duration) {
        let signed = |time: Duration| time::Duration::try_from(time).unwrap_or(time::Duration::MAX);
        self.shared.lock().objects.clock.skew = signed(ahead) - signed(behind);
    }

    /// What `pods/log` answers for a container; `previous` is the run before the last restart.
    pub fn set_log(&self, namespace: &str, pod: &str, container: &str, previous: bool, text: &str) {
        let key = format!("{}{namespace}/{pod}/{container}", if previous { "previous " } else { "" });
        self.shared.lock().logs.insert(key, text.to_owned());
    }

    /// Every request about a resource since the start or the last [`Self::forget_used`], in their order.
    #[must_use]
    pub fn used(&self) -> Vec<Used> {
        self.shared.lock().used.clone()
    }

    /// What `user` asked for, each once.
    #[must_use]
    pub fn used_by(&self, user: &str) -> BTreeSet<Used> {
        self.used().into_iter().filter(|used| used.user == user).collect()
    }

    /// Begins a new record.
    pub fn forget_used(&self) {
        self.shared.lock().used.clear();
    }
}
