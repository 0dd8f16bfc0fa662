//! `show stat`, read by column name: versions differ in how many columns they print.

use teal_rollout::colour::Colour;

use super::names::Names;

/// One colour of one component, from its `BACKEND` row and the rows of its servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendRow {
    /// The component's id.
    pub component: usize,
    /// The colour.
    pub colour: Colour,
    /// Servers that pass HAProxy's checks.
    pub up: u32,
    /// Requests assigned to the back end and not finished, those in its queue included.
    pub in_flight: u32,
    /// Requests ever assigned to it. HAProxy counts at assignment, not at the end (seen on 2.6.12).
    pub started: u64,
    /// Response headers its servers ever sent. Server rows count when the headers arrive, the `BACKEND`
    /// row only at the end of the request.
    pub answered: u64,
    /// Requests that ended without a server's response, at most: failed connections and responses, clients gone.
    /// Retries are counted in, so this may exceed the truth.
    pub failed: u64,
}

/// The columns in use, as indexes into a row.
struct Columns {
    proxy: usize,
    server: usize,
    in_flight: usize,
    started: usize,
    active: usize,
    backup: usize,
    responses: Vec<usize>,
    failures: Vec<usize>,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<&str> = header.split(',').collect();
        let at = |name: &str| names.iter().position(|&n| n == name);
        let responses = ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other"];
        Some(Self {
            proxy: at("pxname")?,
            server: at("svname")?,
            in_flight: at("scur")?,
            started: at("stot")?,
            active: at("act")?,
            backup: at("bck")?,
            responses: responses.into_iter().filter_map(at).collect(),
            failures: ["econ", "eresp", "cli_abrt"].into_iter().filter_map(at).collect(),
        })
    }
}

/// The rows of our back ends in one or several CSV tables; other text is passed over.
#[must_use]
pub(super) fn parse(text: &str, names: &Names) -> Vec<BackendRow> {
    let mut columns = None;
    let mut rows: Vec<BackendRow> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("# ") {
            columns = Columns::of(header);
            continue;
        }
        let Some(columns) = &columns else { continue };
        let fields = split(line);
        let Some(&(_, component, colour)) = fields
            .get(columns.proxy)
            .and_then(|proxy| names.backends.iter().find(|(name, ..)| name.as_str() == *proxy))
        else {
            continue;
        };
        let row = match rows.iter_mut().position(|row| row.component == component && row.colour == colour) {
            Some(index) => &mut rows[index],
            None => {
                let empty = BackendRow { component, colour, up: 0, in_flight: 0, started: 0, answered: 0, failed: 0 };
                rows.push(empty);
                let last = rows.len() - 1;
                &mut rows[last]
            }
        };
        let number = |column: usize| fields.get(column).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        let small = |column: usize| u32::try_from(number(column)).unwrap_or(u32::MAX);
        if fields.get(columns.server) == Some(&"BACKEND") {
            row.up = small(columns.active).saturating_add(small(columns.backup));
            row.in_flight = small(columns.in_flight);
            row.started = number(columns.started);
            row.failed = columns.failures.iter().map(|&c| number(c)).sum();
        } else {
            row.answered += columns.responses.iter().map(|&c| number(c)).sum::<u64>();
        }
    }
    rows
}

/// One CSV row; a quoted field may hold commas.
fn split(line: &str) -> Vec<&str> {
    let mut fields = Vec::with_capacity(128);
    let mut rest = line;
    loop {
        let (field, tail) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((field, tail)) => (field, tail.strip_prefix(',')),
            None => match rest.split_once(',') {
                Some((field, tail)) => (field, Some(tail)),
                None => (rest, None),
            },
        };
        fields.push(field);
        match tail {
            Some(tail) => rest = tail,
            None => return fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::haproxy::settings::{BadWhen, EdgeComponent, EdgeSettings, LatencyLimits, LogSource};

    fn names() -> Names {
        Names::of(&EdgeSettings {
            environment: "t".into(),
            components: vec![EdgeComponent {
                name: "api".into(),
                limits: LatencyLimits::default(),
                bad: BadWhen::default(),
            }],
            map: "/m".into(),
            socket: "/s".into(),
            ports: Vec::new(),
            master_socket: None,
            log: LogSource::Ring,
            timeout: EdgeSettings::TIMEOUT,
        })
    }

    #[test]
    fn columns_are_found_by_name_and_servers_added_up() {
        let text = "No such proxy.\n\n\
            # svname,pxname,act,bck,scur,stot,hrsp_2xx,hrsp_5xx,econ,eresp,cli_abrt,note,\n\
            s1,teal_t_api_green,1,0,1,9,4,2,0,1,0,\"a, b\",\n\
            s2,teal_t_api_green,0,1,1,5,3,0,0,0,0,,\n\
            BACKEND,teal_t_api_green,1,1,3,12,6,2,1,2,4,,\n\
            BACKEND,somebody_elses,1,1,3,12,6,2,1,2,4,,\n";
        let expected = BackendRow {
            component: 0,
            colour: Colour::Green,
            up: 2,
            in_flight: 3,
            started: 12,
            answered: 9,
            failed: 7,
        };
        assert_eq!(parse(text, &names()), [expected]);
    }

    #[test]
    fn a_table_without_the_columns_gives_no_rows() {
        for text in ["", "# pxname,svname,\nteal_t_api_green,BACKEND,\n", "garbage\n,,,\n"] {
            assert_eq!(parse(text, &names()), []);
        }
    }

    #[test]
    fn a_quoted_field_is_one_field() {
        for (line, fields) in [("a,\"b,c\",d", vec!["a", "b,c", "d"]), ("", vec![""]), ("a,", vec!["a", ""])] {
            assert_eq!(split(line), fields);
        }
    }
}
