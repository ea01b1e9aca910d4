//! SendGrid's own libraries and Weir agree on which posts are SendGrid's.

use std::sync::Arc;

use model::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sendgrid::webhook::{VerificationKey, Verifier};
use simulator::sendgrid::{Clock, Poster, Retries, Signer};

use super::client::{Language, Official};
use super::receiver::{Post, Receiver, SIGNATURE, TIMESTAMP};

/// Posts of random events.
const POSTS: usize = 24;
/// SendGrid posts at 768 kB at the latest.
const LARGEST: usize = 768 << 10;

/// A post, or what became of one, a key, and whether the one is signed with the other.
#[derive(Debug)]
struct Case {
    what: String,
    post: Post,
    key: String,
    is_true: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_and_weir_take_true_posts_and_refuse_all_others() {
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let (signers, posts) = posted(&mut dice).await;
    let cases: Vec<Case> = (0..posts.len()).flat_map(|nth| cases(&posts, &signers, nth)).collect();
    let mut libraries = Language::BOTH.map(|language| (language, Official::start(language, "none", "none")));
    for case in &cases {
        let weir = Verifier::new(vec![VerificationKey::from_base64(&case.key).unwrap()]).unwrap();
        let header = |name: &str| case.post.headers[name].as_bytes();
        let verified = weir.verify(header(TIMESTAMP), header(SIGNATURE), &case.post.body);
        assert_eq!(verified.is_ok(), case.is_true, "Weir: {verified:?} of {case:?}");
        for (language, library) in &mut libraries {
            let told = library.ask(&case.post.to_verify(&case.key));
            assert_eq!(told["verified"], case.is_true, "{language:?}: {told} of {}: {:?}", case.what, case.post);
        }
    }
    let taken = cases.iter().filter(|case| case.is_true).count();
    assert_eq!((taken, cases.len()), (posts.len(), posts.len() * 8));
}

/// What the simulator posted, each signed by the signer of its place.
async fn posted(dice: &mut ChaCha8Rng) -> (Vec<Arc<Signer>>, Vec<Post>) {
    let receiver = Receiver::start().await;
    let (mut signers, mut posts) = (Vec::new(), Vec::new());
    for events in batches(dice) {
        let signer = Arc::new(Signer::generate().unwrap());
        let seconds = dice.random_range(1_500_000_000..2_000_000_000);
        let clock: Clock = Arc::new(move || Timestamp::from_seconds(seconds));
        let poster = Poster::new(&receiver.url, Arc::clone(&signer), Retries::default(), clock).unwrap();
        assert_eq!(poster.post(&events).await.unwrap().tries, 1);
        let post = receiver.post();
        assert_eq!(post.body, Poster::body(&events));
        signers.push(signer);
        posts.push(post);
    }
    (signers, posts)
}

/// None at all, as many as a post may hold, and some with whatever characters there are.
fn batches(dice: &mut ChaCha8Rng) -> Vec<Vec<String>> {
    let mut large = Vec::new();
    while large.iter().map(String::len).sum::<usize>() < LARGEST {
        large.push(event(dice, 200));
    }
    let random = (2..POSTS).map(|_| (0..dice.random_range(1..9)).map(|_| event(dice, 40)).collect());
    let random: Vec<_> = random.collect();
    [vec![], large].into_iter().chain(random).collect()
}

/// An event whose texts hold any characters, as they are or escaped.
fn event(dice: &mut ChaCha8Rng, length: usize) -> String {
    let text: String = (0..length).map(|_| character(dice)).collect();
    let reason = serde_json::to_string(&text).unwrap();
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!(r#"{{"email":"a@example.com","event":"bounce","reason":{reason},"category":["{escaped}"],"timestamp":1}}"#)
}

/// ASCII, Latin, any script, or beyond what one UTF-16 unit holds.
fn character(dice: &mut ChaCha8Rng) -> char {
    let range = match dice.random_range(0..4) {
        0 => 0x00..0x80,
        1 => 0x80..0x250,
        2 => 0x250..0x1_0000,
        _ => 0x1_f300..0x1_f700,
    };
    // Surrogates are no characters.
    char::from_u32(dice.random_range(range)).unwrap_or('\u{2028}')
}

/// A post as it is, and as it must not be taken.
fn cases(posts: &[Post], signers: &[Arc<Signer>], nth: usize) -> Vec<Case> {
    let (post, other) = (&posts[nth], (nth + 1) % posts.len());
    let (key, other_key) = (signers[nth].public_key(), signers[other].public_key());
    let later = (post.headers[TIMESTAMP].parse::<i64>().unwrap() + 1).to_string();
    let mut changed = post.body.to_vec();
    let middle = changed.iter().skip(changed.len() / 2).position(u8::is_ascii).unwrap() + changed.len() / 2;
    changed[middle] = if changed[middle] == b'0' { b'1' } else { b'0' };
    let case = |what: &str, post: Post, key: &str| Case {
        what: format!("post {nth}, {what}"),
        post,
        key: key.to_owned(),
        is_true: what == "as it came",
    };
    vec![
        case("as it came", post.clone(), &key),
        case("with another key", post.clone(), &other_key),
        case("with a character changed", post.with_body(changed), &key),
        case("without its line break", post.with_body(post.body.trim_ascii_end().to_vec()), &key),
        case("a second later", post.with_header(TIMESTAMP, &later), &key),
        case("at no time", post.with_header(TIMESTAMP, "timestamp"), &key),
        case("with a signature that is none", post.with_header(SIGNATURE, "AAAA"), &key),
        case("with another's signature", post.with_header(SIGNATURE, &posts[other].headers[SIGNATURE]), &key),
    ]
}
