//! What TLS needs, and what its failures mean.

use std::io;
use std::path::Path;
use std::sync::Arc;

use redis::{ClientTlsConfig, RedisError, RedisResult, TlsCertificates};
use rustls::crypto::CryptoProvider;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::address::TlsFiles;
use super::login::read_file;
use crate::connection::answer::ErrorReply;

/// No file of certificates is longer, bytes. Those of all public authorities take 250 kB.
const MAX_BYTES: u64 = 4 * 1_024 * 1_024;

/// Reads the files as they are now.
pub(in crate::connection) async fn certificates(files: &TlsFiles) -> RedisResult<TlsCertificates> {
    let root_cert = match &files.authorities {
        Some(path) => Some(pem(path, "authorities", "CERTIFICATE").await?),
        None => None,
    };
    let client_tls = match &files.own {
        Some((certificate, key)) => Some(ClientTlsConfig {
            client_cert: pem(certificate, "the client's certificate", "CERTIFICATE").await?,
            client_key: pem(key, "the client's key", "PRIVATE KEY").await?,
        }),
        None => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

async fn pem(path: &Path, what: &str, kind: &str) -> RedisResult<Vec<u8>> {
    let shown = path.display();
    let bytes = read_file(path, MAX_BYTES).await.map_err(|error| {
        refusal(format!("the file of {what}, {shown}, cannot be read: {error}"))
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let has_one = text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains(kind));
    match has_one {
        true => Ok(bytes),
        false => Err(refusal(format!("the file of {what}, {shown}, holds no {kind} in PEM"))),
    }
}

/// rustls panics where the process has no provider.
pub(in crate::connection) fn must_have_a_provider() -> RedisResult<()> {
    if CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    #[cfg(feature = "tls-ring")]
    {
        // Another thread may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(())
    }
    #[cfg(not(feature = "tls-ring"))]
    Err(refusal(
        "rustls has no provider: call CryptoProvider::install_default of rustls, or use the \
         feature tls-ring of strata-cache"
            .to_owned(),
    ))
}

/// What a failure of TLS means, if it is one. `host` is where the node connected to.
pub(in crate::connection) fn explain(error: &RedisError, host: &str) -> Option<RedisError> {
    let said = match tls_error(error)? {
        TlsError::InvalidCertificate(why) => certificate(why, host),
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server asks for the client's certificate, and none is given".to_owned()
        }
        TlsError::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::AccessDenied),
        ) => format!("the server does not accept the client's certificate: {alert:?}"),
        TlsError::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the server refuses the TLS handshake: it may ask for the client's certificate, or know \
             no common cipher"
                .to_owned()
        }
        TlsError::AlertReceived(AlertDescription::ProtocolVersion)
        | TlsError::PeerIncompatible(_) => {
            "the server knows neither TLS 1.2 nor 1.3".to_owned()
        }
        TlsError::InvalidMessage(_) => "the port does not speak TLS: give a redis:// address, or \
                                        the server's TLS port"
            .to_owned(),
        other => format!("TLS failed: {other}"),
    };
    Some(refusal(said))
}

fn certificate(why: &CertificateError, host: &str) -> String {
    match why {
        // An authority of the same name with another key is another one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is signed by no authority that is trusted here: give the file \
             of its authority"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("the server's certificate is not for {host}: it is for {}", names(presented))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the server's certificate is not for {host}")
        }
        CertificateError::Revoked => "the server's certificate has been revoked".to_owned(),
        other => format!("the server's certificate is refused: {other}"),
    }
}

/// As people read them: `localhost`, not `DnsName("localhost")`.
fn names(presented: &[String]) -> String {
    let plain = presented.iter().map(|name| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"')
    });
    plain.take(5).collect::<Vec<_>>().join(", ")
}

fn tls_error(error: &RedisError) -> Option<&TlsError> {
    let source = std::error::Error::source(error)?;
    let inner: &(dyn std::error::Error + Send + Sync) =
        &**source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?;
    if let Some(tls) = inner.downcast_ref() {
        return Some(tls);
    }
    inner.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

fn refusal(said: String) -> RedisError {
    ErrorReply::refusal("TLS", said)
}
