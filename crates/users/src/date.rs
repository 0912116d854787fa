//! The day on which an account expires.

use pallet_core::prelude::*;

/// The days from 1970-01-01 to a date such as `2027-01-31`.
pub(crate) fn days(date: &str) -> Result<u32> {
    let wrong = || format!("{date:?} is not a day: write YEAR-MONTH-DAY, such as 2027-01-31");
    let parts: Vec<&str> = date.split('-').collect();
    let number = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let [year, month, day] = parts[..] else { bail!(wrong()) };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        bail!(wrong())
    };
    let leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    ensure!(
        (1971..=2199).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= lengths[month as usize - 1],
        wrong()
    );
    let years: u32 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: u32 = lengths[..month as usize - 1].iter().sum();
    Ok(years + months + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (date, number) in [
            ("1971-01-01", 365),
            ("2000-03-01", 11017),
            ("2024-02-29", 19782),
            ("2027-01-31", 20849),
        ] {
            assert_eq!(days(date).unwrap(), number, "{date}");
        }
        for bad in ["", "2027", "2027-13-01", "2027-02-29", "2027-00-01", "31.1.2027", "2027-1-1"] {
            assert!(days(bad).is_err(), "{bad}");
        }
    }
}
