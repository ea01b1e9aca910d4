//! One broker as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// All brokers of a test form one cluster of this name.
const CLUSTER_ID: &str = "d2VpcndlaXJ3ZWlyd2Vpcg";
/// Ends Java when the process that started it is gone, however it went: its end of the pipe closes.
const GUARD: &str =
    r#"java "$@" </dev/null & pid=$!; echo $pid >"$PID_FILE"; (read -r _; kill -9 $pid) 2>/dev/null <&3 & wait $pid"#;

#[derive(Debug)]
pub(crate) struct Broker {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
    /// Held open for as long as the broker shall live.
    pipe: Option<std::io::PipeWriter>,
}

impl Broker {
    /// Writes its settings and formats its storage.
    pub(crate) fn prepare(root: &Path, id: u16, port: u16, settings: &str) -> Self {
        let folder = root.join(format!("broker-{id}"));
        std::fs::create_dir_all(&folder).unwrap();
        let data = folder.join("data");
        let settings = format!("{settings}log.dirs={}\n", data.display());
        std::fs::write(folder.join("server.properties"), settings).unwrap();
        std::fs::write(folder.join("log4j2.properties"), "rootLogger.level=WARN\nrootLogger.appenderRef.c.ref=C\nappender.c.type=Console\nappender.c.name=C\nappender.c.layout.type=PatternLayout\nappender.c.layout.pattern=%d %p %m (%c)%n\n")
            .unwrap();
        let broker = Self { folder, port, process: None, pipe: None };
        let formatted = Command::new("java")
            .args(broker.java("kafka.tools.StorageTool"))
            .args(["format", "-t", CLUSTER_ID, "-c"])
            .arg(broker.folder.join("server.properties"))
            .output()
            .unwrap();
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        broker
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn start(&mut self) {
        let (reader, writer) = std::io::pipe().unwrap();
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new("bash");
        // The guard reads its standard input as descriptor 3, because Java is not to have it.
        command
            .args(["-c", &format!("exec 3<&0; {GUARD}"), "broker"])
            .args(self.java("kafka.Kafka"))
            .arg(self.folder.join("server.properties"))
            .env("PID_FILE", self.folder.join("pid"))
            .stdin(reader)
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.process = Some(command.spawn().unwrap());
        self.pipe = Some(writer);
    }

    pub(crate) fn kill(&mut self) {
        // Closing the pipe makes the guard kill Java.
        self.pipe = None;
        if let Some(mut process) = self.process.take() {
            process.wait().unwrap();
        }
    }

    /// Sends Java a signal: "STOP", or "CONT".
    pub(crate) fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap();
        let status = Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status().unwrap();
        assert!(status.success(), "the broker is not there");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn java(&self, class: &str) -> Vec<String> {
        let classes = format!("{}/*", crate::libs().display());
        let logging = format!("-Dlog4j2.configurationFile={}", self.folder.join("log4j2.properties").display());
        let options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", &logging, "-cp", &classes, class];
        options.map(str::to_owned).to_vec()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}
