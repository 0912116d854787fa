//! The one line that a plugin exports itself with.

/// Exports a [`ConfigCrate`](crate::plugin::ConfigCrate): `pallet_core::export_crate!(Nginx);`
#[macro_export]
macro_rules! export_crate {
    ($crate_type:ty) => {
        $crate::export_plugin!(
            "crate",
            <$crate_type as $crate::plugin::ConfigCrate>::NAME,
            <$crate_type as $crate::plugin::ConfigCrate>::REQUIRES,
            <$crate_type as $crate::plugin::ConfigCrate>::CAPABILITIES,
            <$crate_type as $crate::plugin::ConfigCrate>::SYSTEMS,
            $crate::abi::author::crate_manifest::<$crate_type>,
            $crate::abi::author::crate_module::<$crate_type>
        );
    };
}

/// Exports a [`Provider`](crate::plugin::Provider): `pallet_core::export_provider!(Sandbox);`
#[macro_export]
macro_rules! export_provider {
    ($provider_type:ty) => {
        $crate::export_plugin!(
            "provider",
            <$provider_type as $crate::plugin::Provider>::NAME,
            &[],
            ::core::option::Option::None,
            &[],
            $crate::abi::author::provider_manifest::<$provider_type>,
            $crate::abi::author::provider_module::<$provider_type>
        );
    };
}

/// What both kinds of plugins export.
#[doc(hidden)]
#[macro_export]
macro_rules! export_plugin {
    (
        $kind:literal, $name:expr, $requires:expr, $capabilities:expr, $systems:expr,
        $manifest:expr, $module:expr
    ) => {
        const _: () = {
            #[cfg(panic = "abort")]
            ::core::compile_error!(
                "a pallet plugin must be built with panic = \"unwind\", or its panics end the host"
            );

            use $crate::abi::abi_stable;
            use $crate::abi::abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};

            extern "C" fn manifest() -> $crate::abi::Outcome {
                $manifest(::core::env!("CARGO_PKG_VERSION"))
            }

            fn root() -> $crate::abi::PluginModuleRef {
                $module(manifest)
            }

            // what abi_stable's own attribute expands to; that attribute would need a dependency of
            // the plugin on it
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            pub static ROOT: LibHeader = {
                extern "C" fn erased() -> RootModuleResult {
                    abi_stable::library::__call_root_module_loader(root)
                }
                // SAFETY: the constructor gives a root module of the type that is named
                unsafe {
                    LibHeader::from_constructor::<$crate::abi::PluginModuleRef>(
                        erased,
                        CheckTypeLayout::Yes,
                    )
                }
            };

            #[used]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".pallet"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__pallet"))]
            static SUMMARY: [u8; $crate::abi::section::SIZE] =
                $crate::abi::section::summary(&$crate::abi::section::Summary {
                    kind: $kind,
                    name: $name,
                    version: ::core::env!("CARGO_PKG_VERSION"),
                    requires: $requires,
                    capabilities: $capabilities,
                    systems: $systems,
                });
        };
    };
}
