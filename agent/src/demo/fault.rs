//! What can be wrong with the sample app, as one word list: `errors=20%,late=5s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use teal_rollout::colour::Share;

/// The faults of one version of the sample app. The default is none.
///
/// They fall on real requests only: every path but `/healthz` and `/version` (see [`Health`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// This share of the requests is answered with status 500.
    pub errors: Share,
    /// Every answer comes this much later.
    pub latency: Duration,
    /// This share of the requests is never answered; the connection stays open.
    pub hang: Share,
    /// The process exits instead of answering the request after this many.
    pub crash: Option<u64>,
    /// The port is opened this much after the start.
    pub slow_start: Duration,
    /// The other faults begin this much after the first real request.
    pub late: Duration,
    /// What the health path says meanwhile.
    pub health: Health,
    /// Which requests meet the other faults, by what they would do.
    pub methods: Methods,
    /// Which replica has the other faults, counted from 1; every one unless told.
    pub replica: Option<u16>,
}

/// The requests that a fault falls on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Methods {
    /// Each.
    #[default]
    All,
    /// Those that only read: GET, HEAD and OPTIONS.
    Read,
    /// The others, POST for instance: a health check and a probe never see it.
    Write,
}

impl Methods {
    /// Whether a request with this method is among them.
    #[must_use]
    pub fn includes(self, method: &http::Method) -> bool {
        match self {
            Self::All => true,
            Self::Read => method.is_safe(),
            Self::Write => !method.is_safe(),
        }
    }
}

/// What `/healthz` answers while requests fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// 200, whatever happens to real requests: the usual health check, which asks only whether the process is there.
    #[default]
    Lies,
    /// The health path meets the same errors, latency and hangs as every other path.
    Truthful,
}

/// Why a fault is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not in the list.
    #[error(
        "unknown fault `{0}`: it is one of errors=20%, latency=500ms, hang, hang=20%, crash, crash=100, \
         slow-start=3s, late=5s, health=truthful, methods=write, replica=2, none"
    )]
    Unknown(String),
    /// Named twice.
    #[error("fault `{0}` is given twice")]
    Twice(String),
    /// A fault that needs a value has none, or not of its kind.
    #[error("fault `{name}` needs {wanted}, not `{value}`")]
    Value {
        /// The fault.
        name: &'static str,
        /// What it takes, with an example.
        wanted: &'static str,
        /// What stood there.
        value: String,
    },
}

impl Fault {
    /// What a request with this method meets of it at this replica: all, or nothing.
    #[must_use]
    pub fn met_by(self, method: &http::Method, replica: u16) -> Self {
        let meets = self.methods.includes(method) && self.replica.is_none_or(|bad| bad == replica);
        if meets { self } else { Self::default() }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut fault = Self::default();
        let mut seen = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != "none") {
            let (name, value) =
                word.split_once('=').map_or((word, None), |(name, value)| (name.trim(), Some(value.trim())));
            if seen.contains(&name) {
                return Err(FaultError::Twice(name.to_owned()));
            }
            seen.push(name);
            match name {
                "errors" => fault.errors = share("errors", value.unwrap_or_default())?,
                "latency" => fault.latency = duration("latency", value)?,
                "hang" => fault.hang = value.map_or(Ok(Share::ALL), |value| share("hang", value))?,
                "crash" => fault.crash = Some(value.map_or(Ok(0), requests)?),
                "slow-start" => fault.slow_start = duration("slow-start", value)?,
                "late" => fault.late = duration("late", value)?,
                "health" => fault.health = health(value.unwrap_or_default())?,
                "methods" => fault.methods = methods(value.unwrap_or_default())?,
                "replica" => fault.replica = Some(replica(value.unwrap_or_default())?),
                _ => return Err(FaultError::Unknown(word.to_owned())),
            }
        }
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: Share| share.to_string().replace(' ', "");
        let words = [
            (self.errors > Share::NONE).then(|| format!("errors={}", percent(self.errors))),
            (!self.latency.is_zero()).then(|| format!("latency={:?}", self.latency)),
            (self.hang > Share::NONE).then(|| format!("hang={}", percent(self.hang))),
            self.crash.map(|after| format!("crash={after}")),
            (!self.slow_start.is_zero()).then(|| format!("slow-start={:?}", self.slow_start)),
            (!self.late.is_zero()).then(|| format!("late={:?}", self.late)),
            (self.health == Health::Truthful).then(|| "health=truthful".to_owned()),
            (self.methods == Methods::Read).then(|| "methods=read".to_owned()),
            (self.methods == Methods::Write).then(|| "methods=write".to_owned()),
            self.replica.map(|replica| format!("replica={replica}")),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        f.pad(&if words.is_empty() { "none".to_owned() } else { words.join(",") })
    }
}

/// `20%` or `0.125 %`, exact to thousandths of a percent.
fn share(name: &'static str, text: &str) -> Result<Share, FaultError> {
    let wanted = "a percentage up to 100 with at most three decimals, such as 20%";
    let parse = || {
        let number = text.strip_suffix('%')?.trim_end();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
            return None;
        }
        Share::new(format!("{whole}{decimals:0<3}").parse().ok()?)
    };
    parse().ok_or_else(|| FaultError::Value { name, wanted, value: text.to_owned() })
}

/// `500ms`, `5s`, `1.5s` or `2m`.
fn duration(name: &'static str, text: Option<&str>) -> Result<Duration, FaultError> {
    let text = text.unwrap_or_default();
    let wanted = "a duration such as 500ms, 5s or 2m";
    let parse = || {
        let split = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at(split);
        let unit = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(number.trim_end().parse::<f64>().ok()? * unit).ok()
    };
    parse().ok_or_else(|| FaultError::Value { name, wanted, value: text.to_owned() })
}

fn requests(text: &str) -> Result<u64, FaultError> {
    let wanted = "a number of requests, such as 100";
    text.parse().map_err(|_| FaultError::Value { name: "crash", wanted, value: text.to_owned() })
}

fn health(text: &str) -> Result<Health, FaultError> {
    match text {
        "lies" => Ok(Health::Lies),
        "truthful" => Ok(Health::Truthful),
        _ => Err(FaultError::Value { name: "health", wanted: "`lies` or `truthful`", value: text.to_owned() }),
    }
}

fn methods(text: &str) -> Result<Methods, FaultError> {
    match text {
        "all" => Ok(Methods::All),
        "read" => Ok(Methods::Read),
        "write" => Ok(Methods::Write),
        _ => Err(FaultError::Value { name: "methods", wanted: "`all`, `read` or `write`", value: text.to_owned() }),
    }
}

fn replica(text: &str) -> Result<u16, FaultError> {
    let wanted = "the number of a replica, from 1";
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| FaultError::Value { name: "replica", wanted, value: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_is_wrong_and_reads_back_what_it_wrote() {
        let check = |text: &str, fault: Fault| {
            assert_eq!(text.parse(), Ok(fault), "{text}");
            assert_eq!(fault.to_string().parse(), Ok(fault), "{text}");
        };
        let none = Fault::default;
        let seconds = Duration::from_secs;
        check("", none());
        check("none", none());
        check("errors=20%", Fault { errors: Share::percent(20), ..none() });
        check("errors=0.125 %", Fault { errors: Share::new(125).unwrap(), ..none() });
        check("latency=500ms", Fault { latency: Duration::from_millis(500), ..none() });
        check("latency=1.5s", Fault { latency: Duration::from_millis(1500), ..none() });
        check("hang", Fault { hang: Share::ALL, ..none() });
        check("hang=5%", Fault { hang: Share::percent(5), ..none() });
        check("crash", Fault { crash: Some(0), ..none() });
        check("crash=100", Fault { crash: Some(100), ..none() });
        check("slow-start=3s", Fault { slow_start: seconds(3), ..none() });
        check("late=5s,errors=100%", Fault { late: seconds(5), errors: Share::ALL, ..none() });
        check(" errors=100% , health=truthful", Fault { errors: Share::ALL, health: Health::Truthful, ..none() });
        check("errors=100%,methods=write", Fault { errors: Share::ALL, methods: Methods::Write, ..none() });
        check(
            "hang,methods=read,replica=2",
            Fault { hang: Share::ALL, methods: Methods::Read, replica: Some(2), ..none() },
        );
        check("late=2m,crash,health=lies", Fault { late: seconds(120), crash: Some(0), ..none() });
    }

    #[test]
    fn a_fault_that_is_not_understood_names_what_stood_there_and_the_way_out() {
        let check = |text: &str, words: &str| {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        };
        check("eror=20%", "unknown fault `eror=20%`: it is one of errors=20%");
        check("errors", "`errors` needs a percentage");
        check("errors=20", "not `20`");
        check("errors=101%", "up to 100");
        check("errors=1.2345%", "three decimals");
        check("errors=-1%", "not `-1%`");
        check("latency=500", "a duration such as 500ms, 5s or 2m, not `500`");
        check("latency=-5s", "not `-5s`");
        check("late", "`late` needs a duration");
        check("crash=soon", "a number of requests");
        check("health=bad", "`lies` or `truthful`, not `bad`");
        check("methods=POST", "`all`, `read` or `write`, not `POST`");
        check("replica=0", "the number of a replica, from 1, not `0`");
        check("hang,hang", "`hang` is given twice");
    }
}
