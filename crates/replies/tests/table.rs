//! The table that Weir ships, and invalid tables.

use proptest::prelude::*;
use replies::{Cause, ChargedTo, ReplyTable};

fn causes(replies: &[(&str, Cause)]) {
    let table = ReplyTable::built_in();
    for (reply, cause) in replies {
        let read = table.classify(reply);
        assert_eq!(read.cause, *cause, "{reply} by {:?}", read.rule);
    }
}

#[test]
fn large_providers_are_classified() {
    causes(&[
        (
            "550-5.1.1 The email account that you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser",
            Cause::Address,
        ),
        (
            "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.",
            Cause::Reputation,
        ),
        ("550-5.7.26 This mail has been blocked because the sender is unauthenticated.", Cause::Configuration),
        ("550 5.7.1 Our system has detected that this message is likely unsolicited mail.", Cause::Content),
        (
            "452 4.2.2 The recipient's inbox is out of storage space. https://support.google.com/mail/?p=OverQuotaTemp",
            Cause::Mailbox,
        ),
        (
            "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
            Cause::Transport,
        ),
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3140).",
            Cause::Reputation,
        ),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [AM5.eop-EUR03]", Cause::Address),
        (
            "550 5.7.509 Access denied, sending domain acme.example does not pass DMARC verification",
            Cause::Configuration,
        ),
        (
            "554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes",
            Cause::Policy,
        ),
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            Cause::Reputation,
        ),
        ("554 delivery error: dd This user doesn't have a yahoo.com account", Cause::Address),
        (
            "554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
            Cause::Policy,
        ),
        ("550 5.1.1 unsupported user: nobody (icloud)", Cause::Address),
    ]);
}

#[test]
fn gateways_and_blocklists_are_classified() {
    causes(&[
        ("554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1", Cause::Reputation),
        ("550 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus zen", Cause::Reputation),
        ("554 email rejected due to security policies - MCSpamSignature.sa.2.2", Cause::Content),
        ("550 permanent failure for one or more recipients (jo@example.org:blocked)", Cause::Unknown),
        ("550 5.7.1 Message contains a URL listed by SURBL", Cause::Content),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org",
            Cause::Reputation,
        ),
        ("550 Mail is rejected by recipients", Cause::Mailbox),
        ("451 4.7.1 Greylisting in action, please come back later", Cause::Transport),
        ("450 4.2.0 <jo@example.org>: Recipient address rejected: Greylisted", Cause::Transport),
        ("450 Requested mail action not taken: mailbox unavailable", Cause::Transport),
        ("550 Requested action not taken: mailbox unavailable", Cause::Address),
        (
            "450 4.1.1 <jo@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
            Cause::Address,
        ),
        ("550 Requested action not taken: mailbox unavailable (web.de)", Cause::Address),
        ("552 5.2.2 Dies ist eine Test-Antwort: mailbox full", Cause::Mailbox),
    ]);
}

#[test]
fn national_providers_are_classified() {
    causes(&[
        ("554 DT:SPM 163 mx8,QMCowAD3,1 http://mail.163.com/help/help_spam_16.htm", Cause::Content),
        ("550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?id=20022", Cause::Content),
        ("550 Ip frequency limited. http://service.mail.qq.com/cgi-bin/help", Cause::Transport),
        ("550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id", Cause::Content),
        ("554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc", Cause::Content),
        ("550 5.7.1 No such user!", Cause::Address),
        (
            "554-gmx.net (mxgmx101) Nemesis ESMTP Service not available 554 IP address is black listed",
            Cause::Reputation,
        ),
        ("550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", Cause::Content),
        ("550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. LPN416 [416]", Cause::Address),
        ("554 PH-RBL https://postmaster.comcast.net/smtp-error-codes.php#BL000010", Cause::Reputation),
        ("553 5.3.0 alph DNSBL:RBL 521< 192.0.2.1 >_is_blocked.For assistance forward this error", Cause::Reputation),
        ("550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.", Cause::Reputation),
    ]);
}

#[test]
fn a_reply_without_known_words_is_classified_by_its_status_or_unknown() {
    let table = ReplyTable::built_in();
    assert_eq!(table.classify("550 5.1.1 <jo@example.org>").rule, Some("status-address"));
    assert_eq!(table.classify_with_status(Some("5.7.1"), "no").cause, Cause::Policy);
    let unknown = table.classify("550 no");
    assert_eq!((unknown.cause, unknown.charged_to, unknown.rule), (Cause::Unknown, ChargedTo::Nobody, None));
    assert_eq!(table.classify("").cause, Cause::Unknown);
}

#[test]
fn each_phrase_alone_has_the_cause_of_its_rule() {
    let table = ReplyTable::built_in();
    let decided =
        table.rules().iter().filter(|rule| rule.all.is_empty() && rule.status.is_empty() && rule.code.is_empty());
    let otherwise: Vec<_> = decided
        .flat_map(|rule| rule.any.iter().map(move |phrase| (rule, phrase, table.classify(phrase))))
        .filter(|(rule, _, read)| read.cause != rule.cause)
        .map(|(rule, phrase, read)| format!("`{phrase}` of {} is matched by {:?}", rule.name, read.rule))
        .collect();
    assert_eq!(otherwise, Vec::<String>::new());
}

#[test]
fn an_invalid_table_is_refused_with_the_location() {
    let refused = |text: &str| {
        let error = ReplyTable::parse(text).unwrap_err();
        std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
            .map(ToString::to_string)
            .collect::<String>()
    };
    let rule = |more: &str| {
        format!(
            "[[rule]]\nname = \"one\"\ncause = \"address\"\ncharged_to = \"customer\"\nmeans = \"m\"\nsource = \"seen\"\n{more}\n"
        )
    };
    assert!(refused("version = 2\nrule = []").contains("version 2"));
    assert!(refused(&format!("version = 1\n{}", rule(""))).contains("would match every reply"));
    assert!(refused(&format!("version = 1\n{}", rule("any = [\"ab\"]"))).contains("less than three"));
    assert!(refused(&format!("version = 1\n{}", rule("anny = [\"abc\"]"))).contains("line 8"));
    assert!(refused(&format!("version = 1\n{0}{0}", rule("any = [\"abc\"]"))).contains("defined twice"));
    assert!(refused(&" ".repeat(2 << 20)).contains("at most"));
}

proptest! {
    #[test]
    fn no_reply_panics_and_white_space_does_not_matter(reply in ".{0,300}") {
        let table = ReplyTable::built_in();
        let spaced = reply.replace(' ', " \r\n\t ");
        prop_assert_eq!(table.classify(&reply).rule, table.classify(&spaced).rule);
        let _template = replies::template(&reply);
    }
}
