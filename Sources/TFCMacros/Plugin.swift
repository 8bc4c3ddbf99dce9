import SwiftCompilerPlugin
import SwiftSyntaxMacros

/// The macros of tfc, as the compiler loads them.
@main
struct TFCPlugin: CompilerPlugin {
  let providingMacros: [any Macro.Type] = [GraphMacro.self, TensorGroupMacro.self]
}
