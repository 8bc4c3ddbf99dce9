import SwiftSyntax

/// The names that are visible at one place of a function, and what is known about each.
struct Scope {
  enum Kind {
    /// A `var`, an `inout` parameter: may stand behind `&`.
    case variable
    /// A `let`, a parameter, a loop's element.
    case constant
    /// A variable with accessors: what they assign is visited instead.
    case computed
  }

  /// Whether a name has a value yet.
  enum Initialization: Equatable {
    case done
    /// Declared without a value.
    case pending(isVar: Bool, type: String)
    /// Assigned on some paths, on all of them for all that is known.
    case unsure
  }

  struct Binding {
    var kind: Kind
    var initialization = Initialization.done
    /// The places that a local function, a closure or the accessors with this name assign.
    var writes: [Place] = []
    /// The scope's depth where the name was declared.
    fileprivate(set) var depth = 0
  }

  private(set) var bindings: [String: Binding] = [:]
  /// How many bodies that end at their exits are around: the function's, those of rewritten loops.
  private(set) var depth = 0

  subscript(name: String) -> Binding? { bindings[name] }

  mutating func declare(_ name: String, _ binding: Binding) {
    var binding = binding
    binding.depth = depth
    bindings[name] = binding
  }

  /// The scope at the start of a body inside this one.
  func entering() -> Scope {
    var scope = self
    scope.depth += 1
    return scope
  }

  /// Notes that a `defer` reads `names` after every exit from the innermost body.
  mutating func defersUse(of names: Set<String>) {
    for name in names { bindings[name]?.depth = -1 }
  }

  /// Whether the place is a variable of the innermost body, which no one reads after an exit from it.
  func endsWithBody(_ place: Place) -> Bool {
    guard let binding = bindings[place.root] else { return false }
    return binding.kind == .variable && binding.depth == depth
  }

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
    guard case .pending(let isVar, let type)? = bindings[name]?.initialization else { return nil }
    return "\(isVar ? "var" : "let") \(name): \(type)"
  }

  /// `_ y: T`, the pending name as a parameter, and the line that makes it a variable again if it was one.
  func parameter(_ name: String) -> (parameter: String, line: String)? {
    guard case .pending(let isVar, let type)? = bindings[name]?.initialization else { return nil }
    return ("_ \(name): \(type)", isVar ? "var \(name) = \(name)\n" : "")
  }

  /// Declares the names that a pattern binds.
  mutating func declare(_ pattern: PatternSyntax, _ kind: Kind) {
    for name in pattern.boundNames { declare(name, Binding(kind: kind)) }
  }

  /// Declares what a `let` or `var` declares. `writes` are the places that its closures or accessors assign.
  mutating func declare(_ variable: VariableDeclSyntax, writes: (Syntax) -> [Place]) {
    let isVar = variable.bindingSpecifier.tokenKind == .keyword(.var)
    // `let a, b: T`: a type belongs to the names before it.
    var type: TypeSyntax?
    var declared: [(String, Binding)] = []
    for binding in variable.bindings.reversed() {
      type = binding.typeAnnotation?.type ?? (binding.initializer == nil ? type : nil)
      for name in binding.pattern.boundNames {
        var entry = Binding(kind: isVar ? .variable : .constant)
        if let accessors = binding.accessorBlock, binding.initializer == nil {
          entry = Binding(kind: .computed, writes: writes(Syntax(accessors)))
        } else if let value = binding.initializer?.value {
          entry.writes = writes(Syntax(value))
        } else if let type, !(isVar && type.isImplicitlyNil) {
          let isName = binding.pattern.is(IdentifierPatternSyntax.self)
          entry.initialization = isName ? .pending(isVar: isVar, type: type.trimmedDescription) : .unsure
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

extension TypeSyntax {
  /// Whether a `var` of this type starts as nil when it has no initial value.
  fileprivate var isImplicitlyNil: Bool {
    self.is(OptionalTypeSyntax.self) || self.is(ImplicitlyUnwrappedOptionalTypeSyntax.self)
  }
}
