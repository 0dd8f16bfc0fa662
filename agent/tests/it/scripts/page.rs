//! The commands of `docs/from-scripts.md` and `docs/deployment.md`: each is run by a test, or at least one that is meant so.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use teal_rollout::document::Phase;
use teal_testkit::{Backend, folder};

use super::make::{make, repository, root};
use crate::said::teal;
use crate::site::Site;

/// Each block of commands with what the comment before it says.
fn blocks(page: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let blocks = text.match_indices("```sh\n").map(|(at, fence)| {
        let before = text[..at].trim_end().lines().next_back().unwrap();
        let name = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let name = name.unwrap_or_else(|| panic!("{page}: a block of commands that no test knows, after `{before}`"));
        let (block, _) = text[at + fence.len()..].split_once("\n```").unwrap();
        (name.strip_prefix("run: ").unwrap_or(name).to_owned(), block.to_owned())
    });
    blocks.collect()
}

/// The lines of a block that is run.
pub(super) fn commands(page: &str, name: &str) -> Vec<String> {
    let (_, block) = blocks(page).into_iter().find(|(named, _)| named == name).unwrap();
    block.lines().map(str::to_owned).collect()
}

/// What is run, and by which test: here, in `beside.rs`, or nowhere (`parsed`).
#[test]
fn every_block_of_the_pages_is_run_or_parsed() {
    let check = |page: &str, run: &[&str]| {
        let names: Vec<String> =
            blocks(page).into_iter().map(|(name, _)| name).filter(|name| name != "parsed").collect();
        assert_eq!(names, run, "{page}");
    };
    let beside = ["the fragment", "a release by the script", "undo the fragment", "act", "leave"];
    check("from-scripts.md", &[&["smoke"][..], &beside].concat());
    check("deployment.md", &["look", "smoke"]);
}

/// `teal` lines are parsed by `docs.rs` too, wherever they stand.
#[test]
fn a_line_that_is_only_parsed_begins_with_a_program_that_somebody_checks() {
    for page in ["from-scripts.md", "deployment.md"] {
        for (_, block) in blocks(page).into_iter().filter(|(name, _)| name == "parsed") {
            assert!(Command::new("bash").args(["-n", "-c", &block]).status().unwrap().success(), "{page}:\n{block}");
            for line in block.lines() {
                let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
                match words[0] {
                    "make" => {
                        let dry = make(repository().path(), &["-n"], &words[1..]);
                        dry.expect(0, &["teal "]);
                    }
                    "systemctl" => assert!(matches!(words[2], "teal" | "haproxy"), "{line}"),
                    other => assert_eq!(other, "teal", "{page}: {line}"),
                }
            }
        }
    }
}

/// Each piece of `teal.toml` on the pages, alone where it is a whole one and else in the place of what it replaces.
#[test]
fn the_configuration_of_the_page_is_valid_before_and_after_the_fragment() {
    let folder = folder();
    fs::write(folder.path().join("teal.toml"), whole()).unwrap();
    teal(folder.path(), &["config", "check"]).expect(0, &["is valid"]);
    let fragment = toml(1);
    let after = whole().replace("environments.staging", "environments.prod");
    let after =
        after.lines().filter(|line| !line.starts_with("switch = ")).collect::<Vec<_>>().join("\n") + "\n" + &fragment;
    fs::write(folder.path().join("teal.toml"), after).unwrap();
    teal(folder.path(), &["config", "check"]).expect(0, &["is valid"]);
    teal(folder.path(), &["proxy", "render", "--fragment"]).expect(0, &["backend teal_prod_edge"]);
}

/// The script's own line, against a site whose check passes, and one whose check fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smoke_tests_of_the_page_pass_and_fail_as_the_scripts_need_it() {
    let folder = folder();
    let site = Backend::start("api").await;
    let url = format!("http://{}", site.addr());
    fs::write(folder.path().join("teal.toml"), whole().replace("https://staging.physioflow.example", &url)).unwrap();
    let [line] = commands("from-scripts.md", "smoke").try_into().unwrap();
    let line = line.replace("https://staging.physioflow.example", &url) + "\necho went on";
    let run = || {
        let teal = Path::new(env!("CARGO_BIN_EXE_teal")).parent().unwrap();
        let path = format!("{}:{}", teal.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-c", &line]).current_dir(folder.path()).env("PATH", path).env_remove("TEAL_CONFIG");
        crate::said::Said::from(shell.stdin(Stdio::null()).output().unwrap())
    };
    run().expect(0, &["ok  api", "went on"]);
    site.answer(teal_testkit::Answer::Status(503));
    let failed = run();
    failed.expect(1, &["bad api", "503"]);
    assert!(!failed.text.contains("went on"), "{}", failed.text);
}

fn whole() -> String {
    toml(0)
}

fn toml(index: usize) -> String {
    let text = fs::read_to_string(root().join("docs/from-scripts.md")).unwrap();
    let block = text.split("```toml\n").nth(index + 1).unwrap();
    block.split_once("\n```").unwrap().0.to_owned() + "\n"
}

/// What the deployment guide says to do when a release does not go on, on a site that has one behind it.
#[tokio::test]
async fn the_first_looks_of_the_deployment_guide_answer_and_its_suite_passes_on_each_side_of_the_edge() {
    let mut site = Site::new().start().await;
    let lines = |name: &str| commands("deployment.md", name);
    let run = |site: &Site, line: &str| site.teal(&line.strip_prefix("teal ").unwrap().split(' ').collect::<Vec<_>>());
    let [status, explain, doctor] = lines("look").try_into().unwrap();
    run(&site, &status).expect(0, &["prod", "blue"]);
    run(&site, &explain).expect(0, &["switch"]);
    // Nobody is told on this site, which would hurt at night.
    run(&site, &doctor).expect(1, &["nobody"]);
    // The page's example serves from blue.
    let component = site.status().await.components.remove(0);
    let serves = component.candidate.unwrap_or(component.stable).colour.to_string();
    for line in lines("smoke") {
        run(&site, &line.replace("blue", &serves)).expect(0, &["ok  app"]);
    }
    site.kill_agent();
    run(&site, &status).expect(5, &["this is what the edge itself says"]);
}

/// The table of phases and that of exit codes, against the program's own words.
#[test]
fn the_deployment_guide_has_every_phase_and_every_exit_code() {
    let guide = fs::read_to_string(root().join("docs/deployment.md")).unwrap();
    let phases = [
        Phase::Idle,
        Phase::Deploying,
        Phase::Smoke,
        Phase::Switching,
        Phase::Watching,
        Phase::Held,
        Phase::Retaining,
        Phase::RollingBack,
    ];
    for phase in phases {
        let row = format!("\n| {} | ", phase.words());
        assert_eq!(guide.matches(&row).count(), 1, "{row}");
    }
    let (_, codes) = guide.split_once("\n## Exit codes\n").unwrap();
    let mut listed: Vec<u8> = codes
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|cell| cell.split(", ").filter_map(|code| code.parse().ok()))
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}
