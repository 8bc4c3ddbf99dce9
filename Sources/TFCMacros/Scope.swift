import SwiftSyntax

/// The names that are visible at one place of a function, and what is known about each.
struct Scope {
  enum Kind {
    /// A `var`, an `inout` parameter: may stand behind `&`.
    case variable
    /// A `let`, a parameter, a loop's element.
    case constant
  }

  /// Whether a name has a value yet.
  enum Initialization: Equatable {
    case done
    /// Declared without a value: `keyword name: type`.
    case pending(declaration: String)
    /// Assigned on some paths, on all of them for all that is known.
    case unsure
  }

  struct Binding {
    var kind: Kind
    var initialization = Initialization.done
    /// The places that a local function or a closure with this name assigns.
    var writes: [Place] = []
  }

  private(set) var bindings: [String: Binding] = [:]

  subscript(name: String) -> Binding? { bindings[name] }

  mutating func declare(_ name: String, _ binding: Binding) { bindings[name] = binding }

  /// Notes that `name` has a value, or may have one.
  mutating func initialize(_ name: String, _ initialization: Initialization = .done) {
    bindings[name]?.initialization = initialization
  }

  /// The names declared without a value that have none yet.
  var pendingNames: Set<String> {
    Set(bindings.compactMap { if case .pending = $1.initialization { $0 } else { nil } })
  }

  var unsureNames: Set<String> { Set(bindings.filter { $1.initialization == .unsure }.keys) }

  /// Whether `name` is declared and has no value yet.
  func isPending(_ name: String) -> Bool { declaration(of: name) != nil }

  /// `let y: T`, how the pending name was declared.
  func declaration(of name: String) -> String? {
    if case .pending(let declaration)? = bindings[name]?.initialization { declaration } else { nil }
  }

  /// Declares the names that a pattern binds.
  mutating func declare(_ pattern: PatternSyntax, _ kind: Kind) {
    for name in pattern.boundNames { declare(name, Binding(kind: kind)) }
  }

  /// Declares what a `let` or `var` declares. `writes` are the places its closures assign.
  mutating func declare(_ variable: VariableDeclSyntax, writes: (ExprSyntax) -> [Place]) {
    let isVar = variable.bindingSpecifier.tokenKind == .keyword(.var)
    // `let a, b: T`: a type belongs to the names before it.
    var type: TypeSyntax?
    var declared: [(String, Binding)] = []
    for binding in variable.bindings.reversed() {
      type = binding.typeAnnotation?.type ?? (binding.initializer == nil ? type : nil)
      for name in binding.pattern.boundNames {
        var entry = Binding(kind: isVar && binding.isAssignable ? .variable : .constant)
        if let value = binding.initializer?.value {
          entry.writes = writes(value)
        } else if binding.accessorBlock == nil, let type, !(isVar && type.isImplicitlyNil) {
          let keyword = variable.bindingSpecifier.text
          entry.initialization = .pending(declaration: "\(keyword) \(name): \(type.trimmedDescription)")
        }
        declared.append((name, entry))
      }
    }
    for (name, binding) in declared { declare(name, binding) }
  }
}

extension PatternSyntax {
  /// The names that the pattern binds, without those of expressions in it.
  var boundNames: [String] {
    if let identifier = self.as(IdentifierPatternSyntax.self) { return [identifier.identifier.text] }
    if let tuple = self.as(TuplePatternSyntax.self) { return tuple.elements.flatMap(\.pattern.boundNames) }
    let names = NameCollector(viewMode: .sourceAccurate)
    names.walk(self)
    return names.names
  }
}

private final class NameCollector: SyntaxVisitor {
  var names: [String] = []

  override func visit(_ node: IdentifierPatternSyntax) -> SyntaxVisitorContinueKind {
    names.append(node.identifier.text)
    return .skipChildren
  }
}

extension PatternBindingSyntax {
  /// Whether a `var` with this binding may be assigned: it is stored, or has a setter.
  fileprivate var isAssignable: Bool {
    switch accessorBlock?.accessors {
    case nil: true
    case .getter: false
    case .accessors(let accessors): accessors.contains { $0.accessorSpecifier.text != "get" }
    }
  }
}

extension TypeSyntax {
  /// Whether a `var` of this type starts as nil when it has no initial value.
  fileprivate var isImplicitlyNil: Bool {
    self.is(OptionalTypeSyntax.self) || self.is(ImplicitlyUnwrappedOptionalTypeSyntax.self)
  }
}
