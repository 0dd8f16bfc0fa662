//! `examples/config` holds whole configurations, and each is valid.

use std::path::Path;

use crate::said::teal;

#[test]
fn every_example_of_a_configuration_is_valid_and_on_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/config");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|file| file.ends_with(".toml") && file != "smoke.toml").collect();
    files.sort();
    assert_eq!(files, ["homelab.toml", "kubernetes.toml", "one-box.toml"]);
    for file in files {
        assert!(page.contains(&format!("]({file})")), "examples/config/README.md does not have {file}");
        teal(&folder, &["config", "check", "--config", &file]).expect(0, &["is valid"]);
        let shown = teal(&folder, &["config", "show", "--effective", "--config", &file]);
        shown.expect(0, &["named by --config", &format!("  # {file}:"), "  # default"]);
        // Somebody who copies it is warned of nothing but what is another machine's.
        let said = teal(&folder, &["config", "check", "--json", "--config", &file]);
        let said: serde_json::Value = serde_json::from_str(&said.text).unwrap();
        for warning in said["warnings"].as_array().unwrap() {
            assert!(warning.as_str().unwrap().ends_with(" is not there on this machine"), "{file}: {warning}");
        }
    }
}
