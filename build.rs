//! Tells the tests whether real data are at hand, so that without them they are reported as ignored.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(lowrank_data)");
    println!("cargo::rerun-if-env-changed=LOWRANK_DATA");
    if std::env::var_os("LOWRANK_DATA").is_some() {
        println!("cargo::rustc-cfg=lowrank_data");
    }
}
