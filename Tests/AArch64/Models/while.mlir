// Sums in a loop of its own length, with an unsigned and a 64-bit state; every step is exact.
func.func @main(%n: tensor<i32>, %x: tensor<5x7xi64>, %y: tensor<13xui8>) -> (tensor<i32>, tensor<5x7xi64>, tensor<13xui8>) {
  %limit = stablehlo.constant dense<6> : tensor<i32>
  %bound = stablehlo.constant dense<9> : tensor<i32>
  %rest = stablehlo.remainder %n, %limit : tensor<i32>
  %r:3 = stablehlo.while(%i = %rest, %a = %x, %b = %y) : tensor<i32>, tensor<5x7xi64>, tensor<13xui8>
    cond {
      %0 = stablehlo.compare LT, %i, %bound : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    } do {
      %one = stablehlo.constant dense<1> : tensor<i32>
      %three = stablehlo.constant dense<3> : tensor<5x7xi64>
      %five = stablehlo.constant dense<5> : tensor<13xui8>
      %next = stablehlo.add %i, %one : tensor<i32>
      %product = stablehlo.multiply %a, %three : tensor<5x7xi64>
      %quotient = stablehlo.divide %b, %five : tensor<13xui8>
      %sum = stablehlo.add %quotient, %b : tensor<13xui8>
      stablehlo.return %next, %product, %sum : tensor<i32>, tensor<5x7xi64>, tensor<13xui8>
    }
  return %r#0, %r#1, %r#2 : tensor<i32>, tensor<5x7xi64>, tensor<13xui8>
}
