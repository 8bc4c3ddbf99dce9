import SwiftDiagnostics
import SwiftSyntax
import SwiftSyntaxMacros

/// One sentence about a macro's input, shown at a node.
struct Sentence: DiagnosticMessage {
  let message: String
  let severity: DiagnosticSeverity
  var diagnosticID: MessageID { MessageID(domain: "tfc", id: message) }
}

extension MacroExpansionContext {
  /// Reports `message` as an error at `node`.
  func error(_ message: String, at node: some SyntaxProtocol) {
    diagnose(Diagnostic(node: node, message: Sentence(message: message, severity: .error)))
  }

  /// Reports `message` as a warning at `node`.
  func warning(_ message: String, at node: some SyntaxProtocol) {
    diagnose(Diagnostic(node: node, message: Sentence(message: message, severity: .warning)))
  }
}
