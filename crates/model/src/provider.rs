//! Who received a mail: the mailbox provider behind the recipient's address.

use serde::{Deserialize, Serialize};

use crate::bare_address;

macro_rules! providers {
    ($($variant:ident $name:literal $doc:literal [$($domain:literal),*]),* $(,)?) => {
        /// A mailbox provider, told from the recipient's domain.
        ///
        /// Only the providers' own domains are known; a company's domain hosted by one of them counts as
        /// [`Provider::Other`], because telling it would need a DNS look-up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Provider { $(#[doc = $doc] $variant),* }

        impl Provider {
            /// Every provider, in the order of their numbers.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in JSON, metrics and the policy file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            fn from_lower_case_domain(domain: &str) -> Self {
                match domain {
                    $($($domain => Self::$variant,)*)*
                    _ => Self::of_a_family(domain),
                }
            }
        }
    };
}

providers! {
    Gmail "gmail" "Google's consumer mail. Sends no complaint for a single mail." ["gmail.com", "googlemail.com"],
    Microsoft "microsoft" "Outlook.com, Hotmail, Live and MSN." ["msn.com", "passport.com", "windowslive.com"],
    Yahoo "yahoo" "Yahoo and AOL." ["ymail.com", "rocketmail.com", "aol.com", "aim.com", "verizon.net", "netscape.net"],
    Apple "apple" "iCloud mail. Sends no complaints." ["icloud.com", "me.com", "mac.com"],
    Comcast "comcast" "Comcast's Xfinity." ["comcast.net", "xfinity.com"],
    UnitedInternet "united_internet" "GMX, WEB.DE, mail.com and 1&1." ["gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "mail.com", "email.de"],
    Orange "orange" "Orange and Wanadoo." ["orange.fr", "wanadoo.fr"],
    MailRu "mail_ru" "Mail.ru and its brands." ["mail.ru", "inbox.ru", "list.ru", "bk.ru"],
    Yandex "yandex" "Yandex." ["yandex.ru", "yandex.com", "ya.ru"],
    Proton "proton" "Proton." ["proton.me", "protonmail.com", "pm.me"],
    Other "other" "Everyone else, and recipients without an address." [],
}

impl Provider {
    /// The provider of a recipient's address, by what follows its last `@`. Upper and lower case are alike, and what a
    /// header has around an address does not matter (`Jo <c@gmail.com>`).
    pub fn of_address(address: &str) -> Self {
        let Some((_, domain)) = bare_address(address).rsplit_once('@') else { return Self::Other };
        if domain.bytes().any(|b| b.is_ascii_uppercase()) {
            Self::from_lower_case_domain(&domain.to_ascii_lowercase())
        } else {
            Self::from_lower_case_domain(domain)
        }
    }

    /// Whether the provider reports single complaints back to the sender (a feedback loop).
    ///
    /// Gmail publishes only daily aggregates and Apple nothing, so mail to them belongs in no complaint rate's
    /// denominator.
    pub const fn reports_complaints(self) -> bool {
        !matches!(self, Self::Gmail | Self::Apple)
    }

    /// The provider's number, for compact storage; [`Provider::ALL`] is indexed by it.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The national domains of a brand: `hotmail.fr`, `yahoo.co.uk`.
    fn of_a_family(domain: &str) -> Self {
        match domain.split_once('.') {
            Some(("outlook" | "hotmail" | "live", ending)) if is_national(ending) => Self::Microsoft,
            Some(("yahoo", ending)) if is_national(ending) => Self::Yahoo,
            _ => Self::Other,
        }
    }
}

/// Whether a brand's domain may end so: `com`, a country (`fr`), or a country's division for companies (`co.uk`, `com.br`).
/// `live.acme.example` is a company's own subdomain.
fn is_national(ending: &str) -> bool {
    let is_country = |label: &str| label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase());
    match ending.split_once('.') {
        None => ending == "com" || is_country(ending),
        Some((division, country)) => matches!(division, "co" | "com" | "ne") && is_country(country),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_its_provider() {
        assert_eq!(Provider::of_address("a@gmail.com"), Provider::Gmail);
        assert_eq!(Provider::of_address("A@HotMail.FR"), Provider::Microsoft);
        assert_eq!(Provider::of_address("\"odd@local\"@yahoo.co.uk"), Provider::Yahoo);
        assert_eq!(Provider::of_address("a@example.org"), Provider::Other);
        assert_eq!(Provider::of_address("not an address"), Provider::Other);
        for written in ["<b@gmail.com>", "Jo <c@gmail.com>", "d@gmail.com ", "f@gmail.com."] {
            assert_eq!(Provider::of_address(written), Provider::Gmail, "{written}");
        }
    }

    #[test]
    fn a_brand_has_national_domains_and_no_others() {
        for (domain, provider) in [
            ("outlook.com", Provider::Microsoft),
            ("live.nl", Provider::Microsoft),
            ("live.com.mx", Provider::Microsoft),
            ("hotmail.co.uk", Provider::Microsoft),
            ("yahoo.com", Provider::Yahoo),
            ("yahoo.co.jp", Provider::Yahoo),
            ("yahoo.ne.jp", Provider::Yahoo),
            ("live.acme.example", Provider::Other),
            ("outlook.corp.example", Provider::Other),
            ("yahoo.acme.com", Provider::Other),
            ("yahoo.acme.io", Provider::Other),
            ("live.co.acme.uk", Provider::Other),
            ("live.tv2.dk", Provider::Other),
            ("live", Provider::Other),
            ("live.", Provider::Other),
            ("outlook.example", Provider::Other),
            ("notlive.com", Provider::Other),
        ] {
            assert_eq!(Provider::of_address(&format!("a@{domain}")), provider, "{domain}");
        }
    }

    #[test]
    fn numbers_and_names_agree() {
        for (index, provider) in Provider::ALL.into_iter().enumerate() {
            assert_eq!(provider.index(), index);
            assert_eq!(serde_json::to_string(&provider).unwrap(), format!("\"{}\"", provider.name()));
        }
    }
}
