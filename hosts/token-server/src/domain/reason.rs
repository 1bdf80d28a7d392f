//! Why credentials are refused: a code for programs and a sentence for people.
//!
//! Logs have both; metrics have the code, which is stable between versions. A client reads neither:
//! it never learns whether a name exists.

/// One of a short list, independent of what a client sends.
macro_rules! reasons {
    ($($name:ident, $code:literal, $sentence:literal;)*) => {
        /// Why credentials are refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $(#[doc = $sentence] $name,)*
            /// Not a signed token; the text says why.
            MalformedToken(&'static str),
            /// The signature does not verify with a key of the issuer; the text says why.
            InvalidSignature(&'static str),
        }

        impl Reason {
            /// The code for programs, in `snake_case`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                    Self::MalformedToken(_) => "malformed_token",
                    Self::InvalidSignature(_) => "invalid_signature",
                }
            }

            /// The sentence for people.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                    Self::MalformedToken(sentence) | Self::InvalidSignature(sentence) => sentence,
                }
            }
        }

        #[cfg(test)]
        const ALL: &[Reason] = &[$(Reason::$name),*];
    };
}

reasons! {
    UnknownToken, "unknown_token", "an unknown token";
    WrongPassword, "wrong_password", "a wrong or expired password";
    TokenDisabled, "token_disabled", "a disabled token";
    UnknownClient, "unknown_client", "an unknown client id";
    WrongSecret, "wrong_secret", "a wrong or expired secret";
    ClientDisabled, "client_disabled", "a disabled service principal";
    WrongAdminPassword, "wrong_admin_password", "a wrong password of the admin";
    AdminDisabled, "admin_disabled", "the admin account is disabled";
    NoCredentials, "no_credentials", "no credentials";
    CertificateInvalid, "certificate_invalid",
        "a client certificate that has ended or was revoked since its connection began";
    CertificateUnknown, "certificate_unknown", "a client certificate without a configured name";
    CertificateNameless, "certificate_nameless",
        "a client certificate without a subject alternative name; its common name is not read";
    CertificateAmbiguous, "certificate_ambiguous",
        "a client certificate with the names of two holders";
    NotBasic, "not_basic", "an authorization that is not basic";
    NotBase64, "not_base64", "credentials that are not base 64";
    NoColon, "no_colon", "credentials without a colon";
    NotText, "not_text", "a token that is not text";
    InvalidAccessToken, "invalid_access_token",
        "an access token that is forged, expired or not ours";
    InvalidRefreshToken, "invalid_refresh_token",
        "a refresh token that is forged, expired or not ours";
    RefreshTokenRevoked, "refresh_token_revoked", "a refresh token that was revoked";
    NotSigned, "not_signed", "a token that this server did not sign";
    NotOwnToken, "not_own_token", "the refresh token of another principal than the client";
    TokenEnded, "token_ended", "a token of ours that has ended already";
    AccessTokenExpired, "access_token_expired", "an access token that has expired";
    RightsReduced, "rights_reduced", "a token from before its rights were reduced";
    PrincipalChanged, "principal_changed", "a token from before the principal was changed";
    PrincipalGone, "principal_gone", "a principal that is gone or disabled";
    PasswordEnded, "password_ended", "the password or the secret that made the token has ended";
    ClientGone, "client_gone", "a service principal that is gone or disabled";
    ClientChanged, "client_changed", "a token from before the client was changed";
    OtherTenant, "other_tenant", "a token of another tenant";
    NotForExchange, "not_for_exchange",
        "a token for management, which this registry does not take in exchange";
    OtherEpoch, "other_epoch", "a token of another epoch of the database";
    IdentityRevoked, "identity_revoked", "a token of an identity that was revoked";
    IdentityWithoutClaims, "identity_without_claims", "a token of an identity without its claims";
    IdentityWithoutProvider, "identity_without_provider",
        "a token of an identity that names no provider";
    ProviderGone, "provider_gone", "an identity of a provider that is gone";
    ProviderChanged, "provider_changed", "an identity of a provider that has another issuer, subject or audience now";
    BoundToSender, "bound_to_sender", "the token is bound to its sender";
    NothingBound, "nothing_bound", "nothing is bound to this identity";
    TwoIdentities, "two_identities", "two tokens for two identities";
    RefusedBefore, "refused_before", "a refresh token that the provider has refused";
    GatewayWithoutSecret, "gateway_without_secret", "a gateway without a secret";
    GatewayChoseSecret, "gateway_secret_not_generated",
        "a gateway with a secret that was not generated";
    UnknownIssuer, "unknown_issuer", "the token's issuer is not a provider of ours";
    OtherIssuer, "other_issuer", "the token is another issuer's";
    OtherPasswordUser, "other_password_user",
        "a token as the password of a user that its issuer does not list";
    NotOneAudience, "not_one_audience", "a token as a password that is not for one audience alone";
    OtherAudience, "other_audience", "the token is for another audience";
    NoExpiry, "no_expiry", "the token does not expire";
    TokenExpired, "token_expired", "the token has expired";
    NotYetValid, "not_yet_valid", "the token is not valid yet";
    IssuedInFuture, "issued_in_future", "the token was issued in the future";
    NoSubject, "no_subject", "the token has no subject";
    UnprintableSubject, "unprintable_subject",
        "the token's subject is not printable ASCII text of 1 to 256 bytes";
    InvalidTime, "invalid_time", "one of the token's times is not a number";
    AlgorithmNotAllowed, "algorithm_not_allowed", "the token's algorithm is not allowed";
    UnknownKey, "unknown_key", "the token's key is not the provider's";
    ClaimsTooLong, "claims_too_long", "the claims that bindings mention are longer than 4096 bytes";
    NoProviderRefreshToken, "no_provider_refresh_token",
        "no refresh token, or one that is too long";
    RedeemsNothing, "provider_redeems_nothing", "the provider redeems no refresh tokens";
    RefusedByProvider, "refused_by_provider", "the provider refuses the refresh token";
    OtherParty, "other_party", "the ID token is for another client";
    OtherNonce, "other_nonce", "the ID token is of another sign-in";
    LoginRefused, "login_refused", "the provider or the person has refused the sign-in";
    LoginEnded, "login_ended", "a sign-in that has ended";
    CodeUnknown, "code_unknown", "a code that is unknown, used or expired";
    CodeOfAnother, "code_of_another", "a code of another client, address or verifier";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_in_snake_case() {
        let codes: BTreeSet<_> = ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), ALL.len());
        for code in codes {
            let is_snake =
                code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
            assert!(is_snake, "{code}");
        }
    }
}
