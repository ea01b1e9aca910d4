//! What each signal is called, what it means, and what helps.

/// A signal in words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wording {
    /// What the bad events are called.
    pub(super) name: &'static str,
    /// What they tell of a sender.
    pub(super) meaning: &'static str,
    /// What the share is of.
    pub(super) mails: &'static str,
    /// The same to the customer.
    pub(super) yours: &'static str,
    /// What happened to the customer's mails, behind them.
    pub(super) happened: &'static str,
    /// What the customer can do.
    pub(super) advice: &'static str,
}

impl Wording {
    /// The words for the signal called `name` in the evidence. Another version may have known more signals: then the words
    /// are general.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "hard_bounce" => HARD_BOUNCE,
            "invalid_address" => INVALID_ADDRESS,
            "block" => BLOCK,
            "reputation_block" => REPUTATION_BLOCK,
            "soft_bounce" => SOFT_BOUNCE,
            "deferral" => DEFERRAL,
            "spam_report" => SPAM_REPORT,
            "unsubscribe" => UNSUBSCRIBE,
            _ => ANY,
        }
    }
}

const HARD_BOUNCE: Wording = Wording {
    name: "hard bounces",
    meaning: "A hard bounce is a mail refused for good, nearly always because the address does not exist: a sign of a list \
              that is old, guessed or bought.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "were refused for good, mostly because the address does not exist",
    advice: "Please remove the refused addresses and send only to people who signed up with you and whose address you have \
             confirmed. Leave out addresses that you have not written to for a year, and never use bought lists.",
};

const INVALID_ADDRESS: Wording = Wording {
    name: "invalid addresses",
    meaning: "The receiving server says that there is no such mailbox: a sign of a list that is old, guessed or bought.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "went to addresses that do not exist",
    advice: "Please remove these addresses, check new ones when people sign up (a confirmation mail is the surest way), and \
             never use bought or guessed lists.",
};

const BLOCK: Wording = Wording {
    name: "blocks",
    meaning: "A block is a mail refused for what it is or whom it comes from, not for its address: a sign of poor content or \
              a poor reputation.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "were refused by the receiving mail servers",
    advice: "Please check what you send and to whom: write only to people who expect your mail, send at a steady pace, and \
             avoid link shorteners and attachments.",
};

const REPUTATION_BLOCK: Wording = Wording {
    name: "blocks for reputation, content or frequency",
    meaning: "The receiving server names the sender's conduct as the reason: its reputation, the content, or too much at \
              once.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "were refused by the receiving mail servers because of their content, their number or the sender's reputation",
    advice: "Please write only to people who expect your mail, raise the number of mails slowly, and check the content: links \
             to domains of ill repute, link shorteners and attachments are refused often.",
};

const SOFT_BOUNCE: Wording = Wording {
    name: "soft bounces",
    meaning: "A soft bounce is a mail refused for a passing reason, for example a full mailbox: many of them are a sign of a \
              list that nobody tends.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "were refused for a passing reason, for example because the mailbox is full",
    advice: "Please leave out addresses that have refused your mail several times, and people who have not opened it for long.",
};

const DEFERRAL: Wording = Wording {
    name: "deferred mails",
    meaning: "A deferral asks to try again later: the receiving servers slow the sender down.",
    mails: "mails attempted",
    yours: "mails that you sent",
    happened: "were put off by the receiving mail servers",
    advice: "Please send more slowly and evenly, and begin with the people who open your mail most.",
};

const SPAM_REPORT: Wording = Wording {
    name: "complaints",
    meaning: "A complaint is a recipient calling the mail spam: a sign of mail that is not wanted.",
    mails: "mails delivered to providers that report complaints",
    yours: "mails that you sent to mailbox providers that pass complaints on",
    happened: "were called spam by the people who received them",
    advice: "Please write only to people who asked for your mail, let them leave with one click, and write as often as you \
             said you would.",
};

const UNSUBSCRIBE: Wording = Wording {
    name: "unsubscribes",
    meaning: "Many recipients leaving at once is a sign of mail that is not expected.",
    mails: "mails delivered",
    yours: "mails that reached their recipients",
    happened: "made the people who received them leave your list",
    advice: "Please check that people know what they sign up for and how often you write.",
};

const ANY: Wording = Wording {
    name: "bad events",
    meaning: "They are a sign that the mail harms the senders who share the same servers.",
    mails: "mails",
    yours: "mails that you sent",
    happened: "went wrong",
    advice: "Please check to whom you send and what.",
};
