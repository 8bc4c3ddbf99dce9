import SwiftSyntax
import SwiftSyntaxBuilder
import SwiftSyntaxMacros

/// `@TensorGroup`: conforms a struct to `TensorGroup` by visiting its stored `var` properties in order.
///
///     @TensorGroup struct Dense { var weight: Tensor<Float>; let name: String }
///     extension Dense: TensorGroup {
///       mutating func visitTensors(_ visitor: inout some TensorVisitor) {
///         visitor.enter("weight")
///         self.weight.visitTensors(&visitor)
///         visitor.leave()
///       }
///     }
struct TensorGroupMacro: ExtensionMacro {
  static func expansion(
    of node: AttributeSyntax,
    attachedTo declaration: some DeclGroupSyntax,
    providingExtensionsOf type: some TypeSyntaxProtocol,
    conformingTo protocols: [TypeSyntax],
    in context: some MacroExpansionContext
  ) throws -> [ExtensionDeclSyntax] {
    guard let structure = declaration.as(StructDeclSyntax.self) else {
      let (kind, name) = kindAndName(of: declaration)
      context.error("@TensorGroup needs a struct, and '\(name)' is \(kind)", at: declaration.introducer)
      return []
    }
    guard !protocols.isEmpty else { return [] }  // the conformance is written elsewhere
    let names = storedVariables(of: structure, in: context)
    let visits = names.map { name in
      """
      visitor.enter("\(name.unescaped)")
      self.\(name).visitTensors(&visitor)
      visitor.leave()
      """
    }
    let access = access(of: structure, in: context)
    let text = """
      extension \(type.trimmedDescription): TFC.TensorGroup\(conditions(of: structure)) {
      \(access)mutating func visitTensors(_ visitor: inout some TFC.TensorVisitor) {
      \(visits.joined(separator: "\n"))
      }
      }
      """
    return [DeclSyntax(stringLiteral: text).cast(ExtensionDeclSyntax.self)]
  }

  /// The names of the stored `var` properties in the order of the source.
  private static func storedVariables(
    of structure: StructDeclSyntax, in context: some MacroExpansionContext
  ) -> [String] {
    var names: [String] = []
    for member in structure.memberBlock.members {
      if let condition = member.decl.as(IfConfigDeclSyntax.self) {
        refuseVariables(in: condition, of: structure.name.text, in: context)
      }
      guard let variable = member.decl.as(VariableDeclSyntax.self), variable.isInstanceVar else { continue }
      for binding in variable.bindings where binding.isStored {
        if let identifier = binding.pattern.as(IdentifierPatternSyntax.self) {
          names.append(identifier.identifier.text)
        } else {
          let pattern = binding.pattern.trimmedDescription
          context.error("@TensorGroup needs one name a property, and '\(pattern)' is a pattern", at: binding.pattern)
        }
      }
    }
    return names
  }

  /// Reports stored properties inside `#if`: the macro sees every clause and cannot know which one is active.
  private static func refuseVariables(
    in condition: IfConfigDeclSyntax, of name: String, in context: some MacroExpansionContext
  ) {
    for clause in condition.clauses {
      guard case .decls(let members) = clause.elements else { continue }
      for member in members {
        if let nested = member.decl.as(IfConfigDeclSyntax.self) {
          refuseVariables(in: nested, of: name, in: context)
        }
        guard let variable = member.decl.as(VariableDeclSyntax.self), variable.isInstanceVar,
          let binding = variable.bindings.first(where: \.isStored)
        else { continue }
        let property = binding.pattern.trimmedDescription
        context.error(
          "@TensorGroup cannot see whether '#if' keeps '\(property)' in '\(name)': move '\(property)' out of '#if'",
          at: binding.pattern)
      }
    }
  }

  /// ` where T: TensorGroup` for the generic parameters that stored types name and nothing constrains.
  private static func conditions(of structure: StructDeclSyntax) -> String {
    let constrained = structure.genericWhereClause?.trimmedDescription ?? ""
    let parameters = structure.genericParameterClause?.parameters.filter {
      $0.inheritedType == nil && !constrained.contains($0.name.text)
    }
    let types = structure.memberBlock.members.compactMap { $0.decl.as(VariableDeclSyntax.self) }
      .filter(\.isInstanceVar).flatMap(\.bindings).filter(\.isStored).compactMap(\.typeAnnotation)
    let named = Set(types.flatMap { $0.tokens(viewMode: .sourceAccurate).map(\.text) })
    let used = (parameters ?? []).map(\.name.text).filter(named.contains)
    return used.isEmpty ? "" : " where " + used.map { "\($0): TFC.TensorGroup" }.joined(separator: ", ")
  }

  /// The access level that the witness needs: that of the struct, or of the extension that declares it.
  private static func access(of structure: StructDeclSyntax, in context: some MacroExpansionContext) -> String {
    var levels = structure.modifiers.map(\.name.text)
    if let outer = context.lexicalContext.first?.as(ExtensionDeclSyntax.self) {
      let own = Set(levels).intersection(["private", "fileprivate", "internal", "package", "public"])
      if own.isEmpty { levels += outer.modifiers.map(\.name.text) }
    }
    if levels.contains("public") { return "public " }
    return levels.contains("package") ? "package " : ""
  }

  private static func kindAndName(of declaration: some DeclGroupSyntax) -> (kind: String, name: String) {
    if let type = declaration.as(ClassDeclSyntax.self) { return ("a class", type.name.text) }
    if let type = declaration.as(EnumDeclSyntax.self) { return ("an enum", type.name.text) }
    if let type = declaration.as(ActorDeclSyntax.self) { return ("an actor", type.name.text) }
    if let type = declaration.as(ProtocolDeclSyntax.self) { return ("a protocol", type.name.text) }
    return ("no struct", declaration.as(ExtensionDeclSyntax.self)?.extendedType.trimmedDescription ?? "it")
  }
}

extension VariableDeclSyntax {
  /// Whether this declares `var`s of each instance that are not lazy.
  fileprivate var isInstanceVar: Bool {
    bindingSpecifier.tokenKind == .keyword(.var)
      && !modifiers.contains { ["static", "class", "lazy"].contains($0.name.text) }
  }
}

extension PatternBindingSyntax {
  /// Whether the property has storage: no accessors, or only observers.
  fileprivate var isStored: Bool {
    switch accessorBlock?.accessors {
    case nil: true
    case .getter: false
    case .accessors(let accessors):
      accessors.allSatisfy { ["willSet", "didSet"].contains($0.accessorSpecifier.text) }
    }
  }
}

extension String {
  /// The name without the backticks around a keyword.
  var unescaped: String { hasPrefix("`") && hasSuffix("`") ? String(dropFirst().dropLast()) : self }
}
