//! Faults and kills, and what SendGrid is like in the end and was like at every moment.

use std::time::{Duration, Instant};

use enforcer::Outcome;
use model::Stage;
use rand::RngExt;
use simulator::sendgrid::{Call, Faults, Moment};

use super::fleet::{Before, Customer};
use super::run::{KILLS, MINUTE, PENDING, Run, TORN, number};

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_call_among_faults_it_converges_all_the_same() {
    let began = Instant::now();
    let seed = number("WEIR_FAULTS_SEED", rand::rng().random());
    let mut run = Run::new(seed).await;
    for sequence in 0..number("WEIR_FAULTS_SEQUENCES", 5) {
        // What is as it was is forgotten after an hour, and noted anew when it is moved again.
        run.settings.ahead += Duration::from_secs(7_200);
        run.to_say = run.standings.sequences(&run.customers).into();
        let share = run.to_say.len().div_ceil(KILLS);
        for _ in 0..KILLS {
            run.live(share).await;
        }
        run.converge().await;
        run.assert_nothing_forbidden();
        println!("sequence {sequence} of {}: converged after {:.1?}", run.customers.len(), began.elapsed());
    }
    run.assert_at_rest().await;
    let actions = run.assert_history();
    run.say_calls(&actions, began);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_released_is_back_exactly_where_it_was() {
    let began = Instant::now();
    let seed = number("WEIR_FAULTS_SEED", rand::rng().random());
    let mut run = Run::new(seed).await;
    run.to_say = run.standings.sequences(&run.customers).into();
    run.converge().await;
    run.to_say = run.standings.releases(&run.customers).into();
    run.converge().await;
    run.assert_at_rest().await;
    run.assert_nothing_forbidden();
    let world = run.sendgrid.world();
    let own_ips = run.customers.iter().filter_map(|customer| match &customer.before {
        Before::Ips { own, .. } => Some(own),
        Before::Subuser { .. } | Before::Routed => None,
    });
    let longest = own_ips.flatten().map(|ip| world.longest_in_two_pools(ip)).max().unwrap();
    drop(world);
    println!("an IP was in two pools for {longest:?} at most");
    assert!(longest < TORN, "an IP was in two pools for {longest:?}; seed {}", run.seed);
    let actions = run.assert_history();
    run.say_calls(&actions, began);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_cut_in_two_by_a_kill_is_finished() {
    for moment in [Moment::Before, Moment::After, Moment::Answered] {
        // The first of two calls that change something, and the second.
        for passing in 0..2 {
            let mut run = Run::new(7).await;
            run.sendgrid.world().faults = Faults { stale: MINUTE, ..Faults::default() };
            let with_ips = |customer: &&Customer| matches!(customer.before, Before::Ips { .. });
            let own = run.customers.iter().find(with_ips).unwrap().id.clone();
            let subuser = run.customers[1].id.clone();
            run.start().await;
            let caught = run.sendgrid.catch(passing, moment, Call::changes);
            let said = [&own, &subuser].map(|id| run.standings.stands(id, Stage::Quarantined, Some(5)));
            assert!(run.process.as_mut().unwrap().say(&said).await);
            caught.await.unwrap();
            run.converge().await;
            run.see("weir_enforcer_held_back_customers{why=\"not_possible\"}", 1.0).await;
            run.see(PENDING, 0.0).await;
            run.assert_nothing_forbidden();
            let actions = run.assert_history();
            assert!(actions.iter().any(|action| action.outcome == Outcome::Done));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_took_out_of_a_pool_and_is_still_shown_there_is_not_taken_out_of_the_other() {
    let mut run = Run::new(7).await;
    let with_ips = |customer: &&Customer| matches!(customer.before, Before::Ips { .. });
    let own: Vec<_> = run.customers.iter().filter(with_ips).map(|customer| customer.id.clone()).take(4).collect();
    for id in own {
        // For so long is the IP in both pools, which is shown for a while after it has left one of them.
        run.sendgrid.world().faults = Faults { stale: MINUTE, latency: MINUTE * 2 / 3, ..Faults::default() };
        run.start().await;
        let caught = run.sendgrid.catch(0, Moment::After, |call| call.method == "DELETE");
        let said = run.standings.stands(&id, Stage::Quarantined, None);
        assert!(run.process.as_mut().unwrap().say(&[said]).await);
        caught.await.unwrap();
        run.sendgrid.world().faults.latency = Duration::ZERO;
        let said = run.standings.stands(&id, Stage::Healthy, None);
        run.start_after(&[said]).await;
        run.wait_until_right().await;
        run.assert_nothing_forbidden();
    }
}
