// pass: canonicalize
func.func @fires(%i: tensor<3xi32>) -> (tensor<3xi32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>) {
  %z = stablehlo.constant dense<0> : tensor<3xi32>
  %f = stablehlo.constant dense<-1> : tensor<3xi32>
  %a = stablehlo.multiply %z, %i : tensor<3xi32>
  %b = stablehlo.and %i, %z : tensor<3xi32>
  %c = stablehlo.or %i, %f : tensor<3xi32>
  %d = stablehlo.subtract %i, %i : tensor<3xi32>
  return %a, %b, %c, %d : tensor<3xi32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>
}
func.func @stays(%i: tensor<3xi32>) -> tensor<3xi32> {
  %f = stablehlo.constant dense<2> : tensor<3xi32>
  %a = stablehlo.or %i, %f : tensor<3xi32>
  return %a : tensor<3xi32>
}
// expect:
func.func public @fires(%i: tensor<3xi32>) -> (tensor<3xi32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>) {
  %0 = stablehlo.constant dense<0> : tensor<3xi32>
  %1 = stablehlo.constant dense<-1> : tensor<3xi32>
  return %0, %0, %1, %0 : tensor<3xi32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>
}
func.func public @stays(%i: tensor<3xi32>) -> (tensor<3xi32>) {
  %0 = stablehlo.constant dense<2> : tensor<3xi32>
  %1 = stablehlo.or %i, %0 : tensor<3xi32>
  return %1 : tensor<3xi32>
}
