//! `make demo`: the tour, ends by itself and fails when a row is not as promised. `demo up`: the mesh, left running.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;
use weir_tests::Outcome;
use weir_tests::table::{Paint, Tone};
use weir_tests::tour::mesh::{Mesh, Workload};
use weir_tests::tour::{run, show, steps};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let paint = Paint::for_stdout();
    let envoy = std::env::var_os("ENVOY").is_some_and(|value| !value.is_empty() && value != "0");
    let outcome = match std::env::args().nth(1).as_deref() {
        None => demo(envoy, paint).await,
        Some("up") => up(envoy, paint).await,
        Some(other) => Err(format!("unknown argument {other}: nothing for the tour, or `up`").into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("demo: {trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(envoy: bool, paint: Paint) -> Outcome<bool> {
    let began = Instant::now();
    let mut mesh = Mesh::start(envoy, say).await?;
    let rows = run::run(&mut mesh, &steps::all()).await;
    print!("\n{}", show::table(&rows, paint));
    let kept = rows.iter().all(|row| row.broken.is_empty());
    if kept {
        print!("{}", show::traces_of_it(&mesh, &rows, paint).await?);
        print!("{}", show::farewell(paint)?);
    }
    let word = if kept { (Tone::Good, "all as promised") } else { (Tone::Bad, "not as promised") };
    println!("\n{} rows, {}, {:.1} s", rows.len(), paint.text(word.0, word.1), began.elapsed().as_secs_f64());
    std::io::stdout().flush()?;
    if !kept {
        eprintln!("\nthe engine's last words:\n{}", tail(&mesh.house.engine.program.said(), 20));
    }
    Ok(kept)
}

async fn up(envoy: bool, paint: Paint) -> Outcome<bool> {
    let mesh = Mesh::start(envoy, say).await?;
    let callers = mesh.write_callers(&[
        ("shop", "frontend"),
        ("shop", "checkout"),
        ("shop", "operator"),
        ("marketing", "banner"),
    ])?;
    let engine = &mesh.house.engine;
    let urls = [
        ("cart", format!("https://{}   ({})", mesh.address(Workload::Cart)?, mesh.proxy_name())),
        ("checkout", format!("https://{}   ({})", mesh.address(Workload::Checkout)?, mesh.proxy_name())),
        ("upstream", format!("http://{}", mesh.house.echo.address())),
        ("admin", format!("http://{}/status", engine.admin()?)),
        ("metrics", format!("http://{}/metrics", engine.metrics_address()?)),
        ("health", format!("http://{}/healthz/ready", engine.health()?)),
        ("policies", mesh.house.config.path().display().to_string()),
        ("decisions", mesh.house.place.path().join("decisions.jsonl").display().to_string()),
    ];
    println!();
    for (name, url) in urls {
        println!("{}  {url}", paint.text(Tone::Bold, &format!("{name:<10}")));
    }
    println!("\ntry:");
    let folder = callers.display();
    let port = mesh.address(Workload::Cart)?.port();
    for (who, path) in [("frontend", "/api/v1/items/1"), ("frontend", "/admin/users"), ("banner", "/api/v1/items/1")] {
        println!(
            "  curl -i --cacert {folder}/ca.pem --cert {folder}/{who}.pem --key {folder}/{who}-key.pem https://localhost:{port}{path}"
        );
    }
    println!("\nCtrl-C ends it and removes its folder");
    std::io::stdout().flush()?;
    asked_to_end().await?;
    Ok(true)
}

/// Ctrl-C, or SIGTERM: both leave through the front door, so that nothing stays behind.
async fn asked_to_end() -> Outcome<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => Ok(done?),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c().await?)
}

/// Progress, beside the output.
fn say(what: &str) {
    eprintln!("{}", Paint::for_stderr().text(Tone::Dim, &format!("== {what}")));
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
