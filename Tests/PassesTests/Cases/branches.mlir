// pass: canonicalize
func.func @known(%x: tensor<3xf32>) -> tensor<3xf32> {
  %t = stablehlo.constant dense<false> : tensor<i1>
  %r = "stablehlo.if"(%t) ({
    stablehlo.return %x : tensor<3xf32>
  }, {
    %n = stablehlo.negate %x : tensor<3xf32>
    stablehlo.return %n : tensor<3xf32>
  }) : (tensor<i1>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}
func.func @unused(%p: tensor<i1>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %two = stablehlo.constant dense<2.0> : tensor<3xf32>
  %r:2 = "stablehlo.if"(%p) ({
    %e = stablehlo.exponential %x : tensor<3xf32>
    stablehlo.return %x, %e : tensor<3xf32>, tensor<3xf32>
  }, {
    %n = stablehlo.multiply %x, %two : tensor<3xf32>
    stablehlo.return %n, %x : tensor<3xf32>, tensor<3xf32>
  }) : (tensor<i1>) -> (tensor<3xf32>, tensor<3xf32>)
  return %r#0 : tensor<3xf32>
}
// expect:
func.func public @known(%x: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.negate %x : tensor<3xf32>
  return %0 : tensor<3xf32>
}
func.func public @unused(%p: tensor<i1>, %x: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = "stablehlo.if"(%p) ({
    stablehlo.return %x : tensor<3xf32>
  }, {
    %1 = stablehlo.constant dense<2.0> : tensor<3xf32>
    %2 = stablehlo.multiply %x, %1 : tensor<3xf32>
    stablehlo.return %2 : tensor<3xf32>
  }) : (tensor<i1>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
