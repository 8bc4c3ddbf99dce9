import SwiftSyntax

extension CodeBlockItemListSyntax {
  /// Whether every path through the list gives `name` its value, for sure.
  func initializes(_ name: String) -> Bool { contains { $0.initializes(name) } }
}

extension [CodeBlockItemSyntax] {
  /// As `initializes` of a list.
  func initialize(_ name: String) -> Bool { contains { $0.initializes(name) } }
}

extension CodeBlockItemSyntax {
  /// Whether every path through the item that goes on gives `name` its value, for sure.
  func initializes(_ name: String) -> Bool {
    if let block = item.as(DoStmtSyntax.self) {
      return block.catchClauses.isEmpty && block.body.statements.initializes(name)
    }
    guard let expression else { return false }
    if let statement = expression.as(IfExprSyntax.self) {
      return statement.allBranches?.allSatisfy { $0.alwaysExit || $0.initializes(name) } ?? false
    }
    if let cases = expression.as(SwitchExprSyntax.self)?.cases {
      return cases.allSatisfy { element in
        guard let list = element.as(SwitchCaseSyntax.self)?.statements else { return false }
        return list.initializes(name) && !list.exits.contains(.breaks)
      }
    }
    return expression.unwrappedTry.assignedOperands.flatMap(Place.assigned).contains(Place(root: name))
  }
}

extension ExprSyntax {
  fileprivate var unwrappedTry: ExprSyntax { self.as(TryExprSyntax.self)?.expression.unwrappedTry ?? self }
}
