//! What is not believed, or is no batch, is refused with a reason; it leaves nothing behind, and the next good POST is
//! taken.

use model::Millis;
use receiver::TimestampTolerance;
use sendgrid::webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

use crate::support::post::{Post, Signer};
use crate::support::{GOOD, NOW, Rig, Setup, another, assert_refused, assert_taken};

mod signature {
    use super::*;

    #[tokio::test]
    async fn a_post_without_signature_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).without(SIGNATURE_HEADER), 401, "no_signature").await;
        rig.comes_to("weir_receiver_signature_failures_total", &[("reason", "no_signature")], 1.0).await;
    }

    #[tokio::test]
    async fn a_post_with_two_signatures_is_refused_even_if_one_is_good() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).and(SIGNATURE_HEADER, "MEUC"), 401, "no_signature").await;
    }

    #[tokio::test]
    async fn a_signature_that_is_no_base64_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).with(SIGNATURE_HEADER, "not base64!"), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn an_empty_signature_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).with(SIGNATURE_HEADER, ""), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_signature_of_ten_kilobytes_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).with(SIGNATURE_HEADER, "A".repeat(10_000)), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_wrong_signature_is_refused() {
        let rig = Rig::new().await;
        let other_body = rig.signer.sign(&NOW.to_string(), b"[]");
        rig.refuses(&rig.signed(GOOD).with(SIGNATURE_HEADER, other_body), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_good_signature_by_another_key_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&Post::signed(&Signer::new(), GOOD), 401, "bad_signature").await;
        rig.comes_to("weir_receiver_signature_failures_total", &[("source", "main")], 1.0).await;
    }

    #[tokio::test]
    async fn a_body_altered_by_one_bit_is_refused() {
        let rig = Rig::new().await;
        let mut altered = GOOD.to_vec();
        altered[20] ^= 1;
        rig.refuses(&rig.signed(GOOD).body(&altered), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_body_that_lost_its_last_line_break_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed([GOOD, b"\r\n"].concat()).body(GOOD), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn what_is_not_believed_is_not_even_parsed() {
        let rig = Rig::new().await;
        let reply = rig.refuses(&Post::signed(&Signer::new(), b"no JSON"), 401, "bad_signature").await;
        assert!(!reply.body.contains("JSON"), "{reply:?}");
    }

    #[tokio::test]
    async fn no_answer_repeats_what_was_sent() {
        let rig = Rig::new().await;
        let post = rig.signed(b"<script>").with(SIGNATURE_HEADER, "<script>").with(TIMESTAMP_HEADER, "<script>");
        for post in [post.clone(), rig.signed(b"<script>"), post.at("/webhooks/sendgrid/<script>")] {
            assert!(!rig.send(&post).await.body.contains("script"));
        }
    }

    #[tokio::test]
    async fn both_keys_of_a_source_are_good_while_one_replaces_the_other() {
        let mut setup = Setup::new();
        let (old, new) = (Signer::new().into(), Signer::new().into());
        setup.signers = vec![std::sync::Arc::clone(&old), std::sync::Arc::clone(&new)];
        let rig = setup.start().await;
        for signer in [&old, &new, &old] {
            assert_taken(&rig.send(&Post::signed(signer, another().as_bytes())).await, 1, 0);
        }
        assert_refused(&rig.send(&Post::signed(&Signer::new(), GOOD)).await, 401, "bad_signature");
        assert_eq!(rig.events().len(), 3);
    }
}

mod timestamp {
    use super::*;

    async fn refuses_signed_at(timestamp: &str, error: &str) {
        let rig = Rig::new().await;
        rig.refuses(&Post::signed_at(&rig.signer, timestamp, GOOD), 401, error).await;
    }

    #[tokio::test]
    async fn a_post_without_timestamp_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).without(TIMESTAMP_HEADER), 401, "no_signature").await;
    }

    #[tokio::test]
    async fn a_timestamp_that_is_no_number_is_refused_though_it_is_signed() {
        for timestamp in ["timestamp", "-179500000", "17950000.0", "+795000000", "1795000000000", "179500000"] {
            refuses_signed_at(timestamp, "bad_signature").await;
        }
    }

    #[tokio::test]
    async fn a_timestamp_other_than_was_signed_is_refused() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).with(TIMESTAMP_HEADER, (NOW + 1).to_string()), 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_digit_moved_from_the_timestamp_to_the_body_is_refused() {
        let rig = Rig::new().await;
        let (timestamp, digit) = ("179500000", b"0");
        let moved = rig.signed(GOOD).body(&[digit, GOOD].concat()).with(TIMESTAMP_HEADER, timestamp);
        rig.refuses(&moved, 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn a_timestamp_of_27_hours_ago_or_6_minutes_ahead_is_refused() {
        refuses_signed_at(&(NOW - 27 * 3_600).to_string(), "stale_timestamp").await;
        refuses_signed_at(&(NOW + 6 * 60).to_string(), "stale_timestamp").await;
    }

    #[tokio::test]
    async fn a_timestamp_of_25_hours_ago_or_4_minutes_ahead_is_taken() {
        let rig = Rig::new().await;
        for timestamp in [NOW - 25 * 3_600, NOW + 4 * 60] {
            let post = Post::signed_at(&rig.signer, &timestamp.to_string(), GOOD);
            assert_taken(&rig.send(&post).await, 1, 0);
        }
    }

    #[tokio::test]
    async fn the_tolerance_is_a_setting() {
        let an_hour_ago = (NOW - 3_600).to_string();
        for (tolerance, status) in [
            (None, 200),
            (Some(TimestampTolerance { past: Millis::minutes(59), future: Millis::ZERO }), 401),
            (Some(TimestampTolerance { past: Millis::minutes(60), future: Millis::ZERO }), 200),
        ] {
            let mut setup = Setup::new();
            setup.config.timestamp_tolerance = tolerance;
            let rig = setup.start().await;
            let reply = rig.send(&Post::signed_at(&rig.signer, &an_hour_ago, GOOD)).await;
            assert_eq!(reply.status, status, "{tolerance:?}");
        }
    }
}

mod head {
    use super::*;

    #[tokio::test]
    async fn an_unknown_source_is_not_found_and_makes_no_label() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(GOOD).at("/webhooks/sendgrid/other"), 404, "not_found").await;
        rig.comes_to("weir_receiver_requests_total", &[("source", "unknown")], 1.0).await;
        rig.comes_to("weir_receiver_requests_total", &[("source", "other")], 0.0).await;
    }

    #[tokio::test]
    async fn no_other_spelling_of_a_path_leads_to_a_source() {
        let rig = Rig::new().await;
        for path in [
            "/",
            "/healthz",
            "/webhooks/sendgrid",
            "/webhooks/sendgrid/",
            "/webhooks/sendgrid/main//",
            "/webhooks/sendgrid//main",
            "/webhooks/sendgrid/../sendgrid/main",
            "/webhooks/sendgrid/%6dain",
            "/webhooks/sendgrid/MAIN",
        ] {
            assert_refused(&rig.send(&rig.signed(GOOD).at(path)).await, 404, "not_found");
        }
        for path in ["/webhooks/sendgrid/main?a=b", "/webhooks/sendgrid/main/"] {
            assert_taken(&rig.send(&rig.signed(GOOD).at(path)).await, 1, 0);
        }
    }

    #[tokio::test]
    async fn any_method_but_post_is_told_which_is_allowed() {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let rig = Rig::new().await;
            let reply = rig.refuses(&rig.signed(GOOD).by(method), 405, "method_not_allowed").await;
            assert_eq!(reply.header("allow"), Some("POST"));
        }
    }

    #[tokio::test]
    async fn a_content_encoding_is_refused() {
        let rig = Rig::new().await;
        for encoding in ["gzip", "GZIP", "br", "gzip, gzip", "zstd", "identity, gzip", ""] {
            let post = rig.signed(GOOD).and("Content-Encoding", encoding);
            assert_refused(&rig.send(&post).await, 415, "unsupported_encoding");
        }
        let hidden = rig.signed(GOOD).and("Content-Encoding", "identity").and("Content-Encoding", "gzip");
        rig.refuses(&hidden, 415, "unsupported_encoding").await;
        assert_taken(&rig.send(&rig.signed(GOOD).and("Content-Encoding", "Identity")).await, 1, 0);
    }

    #[tokio::test]
    async fn the_content_type_does_not_matter() {
        let rig = Rig::new().await;
        for content_type in ["text/xml", "application/x-www-form-urlencoded", "nonsense"] {
            assert_taken(&rig.send(&rig.signed(GOOD).with("Content-Type", content_type)).await, 1, 0);
        }
        assert_taken(&rig.send(&rig.signed(GOOD).without("Content-Type")).await, 1, 0);
    }
}

mod batch {
    use super::*;

    #[tokio::test]
    async fn an_empty_body_is_no_batch() {
        Rig::new().await.sets_aside(b"", "empty").await;
    }

    #[tokio::test]
    async fn an_empty_body_without_signature_is_not_believed() {
        let rig = Rig::new().await;
        rig.refuses(&rig.signed(b"").without(SIGNATURE_HEADER), 401, "no_signature").await;
    }

    #[tokio::test]
    async fn white_space_is_no_batch() {
        Rig::new().await.sets_aside(b" \r\n\t", "empty").await;
    }

    #[tokio::test]
    async fn what_is_no_json_is_no_batch() {
        Rig::new().await.sets_aside(b"event=delivered&email=jo%40example.org", "no JSON array").await;
    }

    #[tokio::test]
    async fn an_object_is_no_batch() {
        Rig::new().await.sets_aside(&GOOD[1..GOOD.len() - 1], "no JSON array").await;
    }

    #[tokio::test]
    async fn null_is_no_batch() {
        Rig::new().await.sets_aside(b"null", "no JSON array").await;
    }

    #[tokio::test]
    async fn an_array_that_does_not_end_is_no_batch() {
        Rig::new().await.sets_aside(&GOOD[..GOOD.len() - 1], "does not end").await;
    }

    #[tokio::test]
    async fn two_arrays_are_no_batch() {
        Rig::new().await.sets_aside(&[GOOD, GOOD].concat(), "follows").await;
    }

    #[tokio::test]
    async fn a_byte_order_mark_makes_it_no_batch() {
        Rig::new().await.sets_aside(&[b"\xef\xbb\xbf", GOOD].concat(), "no JSON array").await;
    }

    #[tokio::test]
    async fn an_empty_array_is_a_batch_of_no_events() {
        Rig::new().await.takes("[]", 0, 0).await;
    }

    #[tokio::test]
    async fn a_batch_without_array_is_told_so_and_where_it_went() {
        let rig = Rig::new().await;
        let reply = rig.post("{}").await;
        assert_refused(&reply, 400, "no_events");
        assert!(reply.body.contains("0x7b") && reply.body.contains("rejects"), "{reply:?}");
    }
}
