use std::str::FromStr;

use axum::http::Uri;
use serde::Deserialize;

/// Where browsers find the dashboard: a scheme, a host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    https: bool,
    /// In small letters, with a port only where it is not the scheme's own.
    authority: String,
}

impl PublicUrl {
    /// Whether browsers come by TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host, with its port where it has one.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The origin as a browser sends it.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // It might hold a password by mistake, so it is not repeated.
        let wrong = || "give it as https://dash.example, without a path or a user".to_owned();
        let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?.as_str().to_ascii_lowercase();
        let has_path = !matches!(uri.path(), "" | "/") || uri.query().is_some();
        if has_path || authority.contains('@') {
            return Err(wrong());
        }
        let own_port = if https { ":443" } else { ":80" };
        let authority = authority.strip_suffix(own_port).unwrap_or(&authority).to_owned();
        Ok(Self { https, authority })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_kept_as_browsers_name_it() {
        let origin = |text: &str| text.parse::<PublicUrl>().unwrap().origin();
        assert_eq!(origin("https://Dash.Example:443/"), "https://dash.example");
        assert_eq!(origin("http://dash.lan:8080"), "http://dash.lan:8080");
        for text in ["dash.lan", "ftp://dash.lan", "https://a:b@dash.lan", "https://dash.lan/x"] {
            let error = text.parse::<PublicUrl>().unwrap_err();
            assert!(!error.contains("a:b"), "{error}");
        }
    }
}
