import SwiftSyntax

/// Finds the places that a piece of code assigns and that outlive it.
///
/// Certain are assignments, `&x` and calls of local functions that assign; possible are method calls on a `var`.
/// Names declared inside the piece are no places of it.
final class WriteCollector: SyntaxVisitor {
  private let scope: Scope
  private let shape: FunctionShape
  private var inner: [Set<String>] = [[]]
  private var places: [Place] = []

  init(scope: Scope, in shape: FunctionShape) {
    self.scope = scope
    self.shape = shape
    super.init(viewMode: .sourceAccurate)
  }

  /// The places that `pieces` assign, in the order of the source; a place inside another one is left out.
  ///
  /// The nodes of a piece share their names. Places that have no value before are among the result.
  func places(in pieces: [[Syntax]]) -> [Place] {
    for piece in pieces {
      inner.append([])
      for node in piece { walk(node) }
      inner.removeLast()
    }
    var kept: [Place] = []
    for (index, place) in places.enumerated() {
      let isCovered = places.enumerated().contains { other, candidate in
        other != index && candidate.contains(place) && (!place.contains(candidate) || other < index)
      }
      if !isCovered { kept.append(place) }
    }
    return kept
  }

  // MARK: - What assigns

  override func visit(_ node: InfixOperatorExprSyntax) -> SyntaxVisitorContinueKind {
    ExprSyntax(node).assignedOperands.flatMap(Place.assigned).forEach(record)
    return .visitChildren
  }

  override func visit(_ node: SequenceExprSyntax) -> SyntaxVisitorContinueKind {
    ExprSyntax(node).assignedOperands.flatMap(Place.assigned).forEach(record)
    return .visitChildren
  }

  override func visit(_ node: InOutExprSyntax) -> SyntaxVisitorContinueKind {
    Place.assigned(by: node.expression).forEach(record)
    return .visitChildren
  }

  override func visit(_ node: FunctionCallExprSyntax) -> SyntaxVisitorContinueKind {
    var called = node.calledExpression
    while let chain = called.as(OptionalChainingExprSyntax.self) { called = chain.expression }
    if let base = called.as(MemberAccessExprSyntax.self)?.base {
      if let place = Place(base, isCertain: false) { record(place) }
    } else if let name = called.as(DeclReferenceExprSyntax.self)?.baseName.text, isMember(name), shape.isMutating {
      record(Place(root: "self", isCertain: false))
    }
    return .visitChildren
  }

  override func visit(_ node: DeclReferenceExprSyntax) -> SyntaxVisitorContinueKind {
    let name = node.baseName.text
    if !isInner(name), let binding = scope[name] { places += binding.writes }
    return .visitChildren
  }

  private func record(_ place: Place) {
    guard !isInner(place.root) else { return }
    if let binding = scope[place.root] {
      switch binding.kind {
      case .variable: places.append(Place(root: place.root, isCertain: place.isCertain))
      case .constant where place.isCertain && (!place.members.isEmpty || binding.initialization != .done):
        places.append(place)  // through a reference that a constant holds, or its first value
      case .constant, .computed: break
      }
    } else if shape.isMutating, place.root == "self" || !place.isCertain {
      if place.isCertain || !place.root.isTypeName { places.append(Place(root: "self", isCertain: place.isCertain)) }
    } else if place.isCertain, place.root != "self" || !place.members.isEmpty {
      places.append(place)
    } else if !place.isCertain, place.root == "self", !place.members.isEmpty, shape.isInstanceMethod {
      var property = place
      property.mayBeConstant = true  // a method call assigns it only if it is a variable of a class
      places.append(property)
    }
  }

  private func isInner(_ name: String) -> Bool { inner.contains { $0.contains(name) } }

  /// Whether an unqualified call of `name` may be a call on `self`.
  private func isMember(_ name: String) -> Bool { !isInner(name) && scope[name] == nil && !name.isTypeName }

  // MARK: - What declares

  override func visit(_ node: IdentifierPatternSyntax) -> SyntaxVisitorContinueKind {
    inner[inner.count - 1].insert(node.identifier.text)
    return .visitChildren
  }

  override func visit(_ node: FunctionDeclSyntax) -> SyntaxVisitorContinueKind {
    inner[inner.count - 1].insert(node.name.text)
    return open(node.signature.parameterClause.parameters.map { ($0.secondName ?? $0.firstName).text })
  }
  override func visitPost(_ node: FunctionDeclSyntax) { close() }

  override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind {
    var names: [String] = []
    switch node.signature?.parameterClause {
    case .simpleInput(let list): names = list.map(\.name.text)
    case .parameterClause(let clause): names = clause.parameters.map { ($0.secondName ?? $0.firstName).text }
    case nil: break
    }
    names += node.signature?.capture?.items.filter { $0.initializer != nil }.map(\.name.text) ?? []
    return open(names)
  }
  override func visitPost(_ node: ClosureExprSyntax) { close() }

  /// The names that the conditions bind are not visible in `else`.
  override func visit(_ node: IfExprSyntax) -> SyntaxVisitorContinueKind {
    inner.append([])
    walk(node.conditions)
    walk(node.body)
    inner.removeLast()
    if let other = node.elseBody { walk(Syntax(other)) }
    return .skipChildren
  }

  /// The names that the conditions bind are visible after the guard, not in its `else`.
  override func visit(_ node: GuardStmtSyntax) -> SyntaxVisitorContinueKind {
    walk(node.body)
    walk(node.conditions)
    return .skipChildren
  }

  /// The names that the pattern binds are not visible in the sequence.
  override func visit(_ node: ForStmtSyntax) -> SyntaxVisitorContinueKind {
    walk(node.sequence)
    inner.append([])
    walk(node.pattern)
    if let condition = node.whereClause { walk(condition) }
    walk(node.body)
    inner.removeLast()
    return .skipChildren
  }

  /// An initial value may name what the pattern then hides.
  override func visit(_ node: PatternBindingSyntax) -> SyntaxVisitorContinueKind {
    if let initializer = node.initializer { walk(initializer) }
    walk(node.pattern)
    if let accessors = node.accessorBlock { walk(accessors) }
    return .skipChildren
  }

  override func visit(_ node: CodeBlockSyntax) -> SyntaxVisitorContinueKind { open([]) }
  override func visitPost(_ node: CodeBlockSyntax) { close() }
  override func visit(_ node: WhileStmtSyntax) -> SyntaxVisitorContinueKind { open([]) }
  override func visitPost(_ node: WhileStmtSyntax) { close() }
  override func visit(_ node: SwitchCaseSyntax) -> SyntaxVisitorContinueKind { open([]) }
  override func visitPost(_ node: SwitchCaseSyntax) { close() }
  override func visit(_ node: CatchClauseSyntax) -> SyntaxVisitorContinueKind { open(["error"]) }
  override func visitPost(_ node: CatchClauseSyntax) { close() }
  override func visit(_ node: AccessorBlockSyntax) -> SyntaxVisitorContinueKind { open(["newValue", "oldValue"]) }
  override func visitPost(_ node: AccessorBlockSyntax) { close() }

  override func visit(_ node: StructDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
  override func visit(_ node: ClassDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
  override func visit(_ node: EnumDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
  override func visit(_ node: ActorDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }

  private func open(_ names: [String]) -> SyntaxVisitorContinueKind {
    inner.append(Set(names))
    return .visitChildren
  }

  private func close() { inner.removeLast() }
}

extension String {
  /// Whether the name looks like a type's: it starts with a capital letter.
  var isTypeName: Bool { first?.isUppercase ?? false }
}
