use std::sync::Arc;
fn main() {
    let scenario = simulator::platform::Scenario {
        customers: 1000,
        good_mails: 300_000,
        ..simulator::platform::Scenario::hour(1, model::Timestamp::from_seconds(1_790_000_000))
    };
    let mut platform = simulator::platform::Platform::new(&scenario);
    let until = scenario.start + model::Millis::days(2);
    let arrivals = platform.advance(until, &mut |_| simulator::platform::Gate::Send(Some("good-1".into())));
    let n = arrivals.len();
    let text: String = arrivals.iter().map(|a| a.event.clone() + "\n").collect();
    println!("{n} events, {} bytes each", text.len() / n);
    let t = std::time::Instant::now();
    let mut k = 0;
    for line in text.lines() {
        let e = sendgrid::webhook::WebhookEvent::parse(line.as_bytes()).unwrap();
        k += std::hint::black_box(e.to_event()).id.len();
    }
    let s = t.elapsed().as_secs_f64();
    println!("parse, one thread: {:.0}/s {k}", n as f64 / s);
    let bytes = text.into_bytes();
    for copies in [1, 2] {
        let policy = Arc::new(policy::Policy::parse(policy::DEFAULT).unwrap());
        let candidates: Vec<_> =
            (0..copies).map(|i| backtest::Candidate { name: format!("{i}"), policy: policy.clone() }).collect();
        let t = std::time::Instant::now();
        let out = backtest::over_recordings(
            &candidates,
            vec![backtest::Recording::reader("x", std::io::Cursor::new(bytes.clone()))],
            &backtest::Reading::default(),
        )
        .unwrap();
        let s = t.elapsed().as_secs_f64();
        println!(
            "{copies} policies: {:.0}/s; {} decisions {:?} {:?}",
            n as f64 / s,
            out.runs[0].made.len(),
            out.read,
            out.runs[0].samples.last()
        );
    }
}
